#include "target/ssh/transfer_items.h"

#include <algorithm>

#include "core/error.h"
#include "core/sha256.h"

namespace cosmos {
namespace {

constexpr std::size_t kLongestScript = 24 << 10;  // an SSH server need not take longer requests than 35,000 bytes
constexpr std::size_t kMaxName = 255;
constexpr int kTries = 3;  // of a file that arrives, and differs

}  // namespace

void TransferProgress::Tell(std::int64_t more) const {
  if (!listener_) return;
  std::int64_t done = more, total = 0;
  for (const TransferItem& item : items_) {
    total += item.size;
    done += item.done ? item.size : item.offset;
  }
  listener_(std::min(done, total), total);
}

std::string PartName(const std::string& before, const std::string& name, const std::string& behind) {
  const bool fits = before.size() + name.size() + behind.size() <= kMaxName;
  return before + (fits ? name : Sha256(name).substr(0, 32)) + behind;
}

bool AllDone(const TransferItems& items) {
  return std::all_of(items.begin(), items.end(), [](const TransferItem& item) { return item.done; });
}

std::int64_t SizeOf(const std::vector<TransferItem*>& items) {
  std::int64_t total = 0;
  for (const TransferItem* item : items) total += item->size;
  return total;
}

std::vector<TransferItem*> NextBatch(TransferItems* items,
                                     const std::function<std::string(const TransferItem&)>& line_of,
                                     std::string* script) {
  std::vector<TransferItem*> batch;
  for (TransferItem& item : *items) {
    if (item.done) continue;
    const std::string line = line_of(item);
    if (!batch.empty() && script->size() + line.size() > kLongestScript) break;
    *script += line;
    batch.push_back(&item);
  }
  return batch;
}

void CountTry(TransferItem* item, const RemoteShell& shell) {
  if (++item->tries < kTries) return;
  throw Error(ErrorCode::kUnavailable,
              "the file " + item->file.local.string() + " and " + item->file.remote + " on " + shell.name() +
                  " differ after each of " + std::to_string(kTries) + " transfers",
              "check whether something writes to it");
}

}  // namespace cosmos
