#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "target/ssh/remote_shell.h"
#include "target/target.h"

// What uploads and downloads share (file_transfers.h). For one thread at a time.
namespace cosmos {

constexpr std::size_t kTransferPiece = 1 << 18;

constexpr std::int64_t kSumRate = 20 << 20;            // bytes/s that any host sums
constexpr auto kMaxSumTime = std::chrono::hours(1);    // of files whose size is not known
constexpr auto kStallLimit = std::chrono::minutes(5);  // without a byte of a transfer
constexpr std::size_t kMaxReplyOfFile = 128;           // bytes that a host says of one

// `sum` prints the SHA-256 of its stdin. openssl is several times faster than coreutils where it is there.
constexpr const char* kSumFunction =
    "if command -v openssl >/dev/null; then sum() { openssl dgst -sha256 -r | cut -c1-64; }\n"
    "else sum() { sha256sum | cut -c1-64; }\nfi\n";

// One file on its way. A value.
struct TransferItem {
  FileTransfer file;
  std::int64_t size = 0;
  std::int64_t offset = 0;  // so much of it is there already
  bool done = false;
  Downloaded presence = Downloaded::kDone;  // of a download
  int tries = 0;
};
using TransferItems = std::vector<TransferItem>;

// Tells a listener how far all items are; both must outlive it.
class TransferProgress {
 public:
  TransferProgress(const Target::TransferListener& listener, const TransferItems& items)
      : listener_(listener), items_(items) {}

  // `more`: bytes of the file under way besides its offset.
  void Tell(std::int64_t more) const;

 private:
  const Target::TransferListener& listener_;
  const TransferItems& items_;
};

// The name of a part beside the file `name`: `before` + name + `behind`, or, where that is longer than file systems
// take (255 bytes), with a digest in the name's place.
std::string PartName(const std::string& before, const std::string& name, const std::string& behind);

// Notices when nothing moves for kStallLimit and as long as a host may need to sum `bytes`. For one thread.
class StallLimit {
 public:
  explicit StallLimit(std::int64_t bytes) : limit_(kStallLimit + std::chrono::seconds(bytes / kSumRate)) {}

  void Moved() { moved_ = std::chrono::steady_clock::now(); }
  SteadyTime end() const { return moved_ + limit_; }
  bool reached() const { return std::chrono::steady_clock::now() > end(); }

 private:
  Duration limit_;
  SteadyTime moved_ = std::chrono::steady_clock::now();
};

bool AllDone(const TransferItems& items);
// In bytes.
std::int64_t SizeOf(const std::vector<TransferItem*>& items);
// As many of the items that are not done as go into one script, each with its line of it.
std::vector<TransferItem*> NextBatch(TransferItems* items,
                                     const std::function<std::string(const TransferItem&)>& line_of,
                                     std::string* script);
// Notes that a file arrived and differs. Throws Error{kUnavailable} when that was so too often.
void CountTry(TransferItem* item, const RemoteShell& shell);

}  // namespace cosmos
