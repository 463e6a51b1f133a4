#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "core/error.h"
#include "core/fd.h"
#include "core/files.h"
#include "core/sha256.h"
#include "core/text.h"
#include "target/ssh/file_transfers.h"
#include "target/ssh/remote_scripts.h"
#include "target/ssh/transfer_items.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

fs::path PartOf(const TransferItem& item) {
  return item.file.local.parent_path() / PartName(".", item.file.local.filename(), ".part");
}

// What the host says of a file in place of its size.
constexpr long long kMissing = -1, kOutside = -2, kUnreadable = -3;

Downloaded PresenceOf(long long said) {
  if (said == kOutside) return Downloaded::kOutside;
  if (said == kUnreadable) return Downloaded::kUnreadable;
  return said < 0 ? Downloaded::kMissing : Downloaded::kDone;
}

// For what is still to come of the files up to this one, whose sizes are what the host says. Throws Error{kIo}.
void CheckRoom(const TransferItem& item, std::uintmax_t needed, const RemoteShell& shell) {
  fs::path folder = item.file.local.parent_path();
  std::error_code error;
  while (!folder.empty() && !fs::exists(folder, error)) folder = folder.parent_path();
  const std::uintmax_t free = fs::space(folder, error).available;
  if (needed <= free) return;
  throw Error(
      ErrorCode::kIo,
      fmt::format(
          "there is no room for {}: {} says that it has {} bytes, {} bytes are needed and {} are free (No space "
          "left on device)",
          item.file.local.string(), shell.name(), item.size, needed, free),
      "make room there, then `cosmos-engine resume`; if the size cannot be right, look at " + item.file.remote);
}

constexpr std::uintmax_t kMaxCounted = std::uintmax_t{1} << 60;  // bytes

// Finds out which files the host has. Their sums are asked for only where there is something to compare. A folder that
// may not be entered hides what is in it.
void LookForFiles(RemoteShell* shell, TransferItems* items) {
  std::string script =
      std::string(kSumFunction) +
      "look() {\n"
      "  if ! [ -f \"$1\" ]; then\n"
      "    case $(LC_ALL=C ls -Ld -- \"$1\" 2>&1) in *'ermission denied'*) echo '-3 -' ;; *) echo '-1 -' ;; esac\n"
      "    return\n"
      "  fi\n"
      "  if [ -n \"$3\" ]; then\n"
      "    case $(readlink -f -- \"$1\") in \"$(readlink -f -- \"$3\")\"/*) ;; *) echo '-2 -'; return ;; esac\n"
      "  fi\n"
      "  if ! [ -r \"$1\" ]; then echo '-3 -'\n"
      "  elif [ $2 = 1 ]; then echo \"$(stat -L -c %s -- \"$1\") $(sum <\"$1\")\"\n"
      "  else echo \"$(stat -L -c %s -- \"$1\") -\"; fi\n"
      "}\n";
  std::error_code error;
  for (const TransferItem& item : *items) {
    if (item.done) continue;
    script += "look " + ShellQuote(item.file.remote) + (fs::exists(item.file.local, error) ? " 1 " : " 0 ") +
              ShellQuote(item.file.within) + "\n";
  }
  const std::vector<std::string> lines =
      SplitLines(shell->Demand({script, (items->size() + 1) * kMaxReplyOfFile, kMaxSumTime}));
  std::size_t next = 0;
  std::uintmax_t needed = 0;
  for (TransferItem& item : *items) {
    if (item.done) continue;
    char sha256[80] = "";
    long long size = kMissing;
    if (next >= lines.size() || std::sscanf(lines[next++].c_str(), "%lld %79s", &size, sha256) != 2) {
      throw Error(ErrorCode::kUnavailable, "the host " + shell->name() + " does not say what files it has");
    }
    item.presence = PresenceOf(size);
    item.size = std::max<std::int64_t>(size, 0);
    const auto here = static_cast<std::int64_t>(fs::file_size(item.file.local, error));
    item.done =
        item.presence != Downloaded::kDone || (!error && here == item.size && Sha256OfFile(item.file.local) == sha256);
    const auto part = static_cast<std::int64_t>(fs::file_size(PartOf(item), error));
    item.offset = error || part > item.size ? 0 : part;
    if (item.done) continue;
    // A host may say of each that it fills what can be counted.
    needed += std::min(static_cast<std::uintmax_t>(item.size - item.offset), kMaxCounted);
    CheckRoom(item, needed, *shell);
  }
}

// Takes in the rest of a file and gives the sum of all of it. Nothing when the exchange ended before all was there,
// nothing comes any more, or `cancel` is cancelled.
std::optional<std::string> ReceiveRest(const TransferItem& item, RemoteShell* shell, SshExchange* exchange,
                                       std::string* ahead, StallLimit stall, const CancelToken& cancel,
                                       const TransferProgress& progress) {
  MakeFolders(item.file.local.parent_path());
  const fs::path part = PartOf(item);
  const Fd file = DemandRegular(part, O_RDWR | O_CREAT, kShared);
  Sha256Sum sum;
  std::string buffer(kTransferPiece, '\0');
  for (std::int64_t at = 0; at < item.offset;) {
    const std::size_t most = std::min<std::size_t>(kTransferPiece, static_cast<std::size_t>(item.offset - at));
    const ssize_t n = ::pread(file.get(), buffer.data(), most, at);
    if (n <= 0) throw IoError("read", part, n == 0 ? EIO : errno);
    sum.Add({buffer.data(), static_cast<std::size_t>(n)});
    at += n;
  }
  if (::ftruncate(file.get(), item.offset) != 0) throw IoError("write", part, errno);
  stall.Moved();
  for (std::int64_t at = item.offset; at < item.size;) {
    if (ahead->empty()) *ahead = shell->Read(exchange, std::chrono::steady_clock::now() + std::chrono::seconds(1));
    if (cancel.cancelled() || stall.reached() || (ahead->empty() && exchange->ended())) return std::nullopt;
    if (!ahead->empty()) stall.Moved();
    const std::string_view bytes = std::string_view(*ahead).substr(0, static_cast<std::size_t>(item.size - at));
    for (std::string_view rest = bytes; !rest.empty();) {
      const ssize_t n = ::pwrite(file.get(), rest.data(), rest.size(), at);
      if (n < 0) throw IoError("write", part, errno);
      at += n;
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
    sum.Add(bytes);
    ahead->erase(0, bytes.size());
    progress.Tell(at - item.offset);
  }
  return sum.Hex();
}

// Gives a file that has come its name when the host's sum of it is the same.
void Settle(TransferItem* item, const std::string& ours, const std::string& theirs, const RemoteShell& shell) {
  item->done = ours == theirs;
  if (item->done) {
    MoveFile(PartOf(*item), item->file.local);
    return;
  }
  std::error_code error;
  fs::remove(PartOf(*item), error);
  item->offset = 0;
  CountTry(item, shell);
}

// As SendBatch. The host sums a file while it is sent, and tells on stderr.
bool ReceiveBatch(RemoteShell* shell, TransferItems* items, const CancelToken& cancel,
                  const TransferProgress& progress) {
  std::string script = std::string(kSumFunction) +
                       "get() { { echo \"sum $(sum <\"$1\")\" >&2; } & tail -c +$2 -- \"$1\" | head -c $3; wait; }\n";
  const std::vector<TransferItem*> batch = NextBatch(
      items,
      [](const TransferItem& item) {
        return fmt::format("get {} {} {}\n", ShellQuote(item.file.remote), item.offset + 1, item.size - item.offset);
      },
      &script);
  const auto exchange = shell->Start(script, SshExchange::Kind::kShort);
  StallLimit stall(SizeOf(batch));
  std::string ahead;
  std::vector<std::string> sums;
  while (sums.size() < batch.size()) {
    TransferItem* const item = batch[sums.size()];
    const auto sum = ReceiveRest(*item, shell, exchange.get(), &ahead, stall, cancel, progress);
    if (!sum) break;
    sums.push_back(*sum);
  }
  // All the bytes are there, and the host's sums are to come; more bytes than that are none of ours.
  stall.Moved();
  while (sums.size() == batch.size() && ahead.empty() && !exchange->ended() && !cancel.cancelled() && !stall.reached())
    ahead = shell->Read(exchange.get(), std::chrono::steady_clock::now() + std::chrono::seconds(1));
  const bool ended = exchange->end() == SshExchange::End::kExited;
  const bool stuck = exchange->end() == SshExchange::End::kNone && !cancel.cancelled();
  const std::vector<std::string> lines = SplitLines(exchange->Errors());
  exchange->Stop();
  if (exchange->end() == SshExchange::End::kRefused) std::rethrow_exception(exchange->failure());
  std::size_t told = 0;
  for (const std::string& line : lines) {
    if (line.rfind("sum ", 0) == 0 && told < sums.size()) {
      Settle(batch[told], sums[told], line.substr(4), *shell);
      ++told;
    }
  }
  // A file that became shorter or does not come is looked at again, but not without end.
  if (told < batch.size() && (ended || stuck)) CountTry(batch[told], *shell);
  return told == batch.size();
}

}  // namespace

std::vector<Downloaded> DownloadFiles(RemoteShell* shell, const std::vector<FileTransfer>& files,
                                      const CancelToken& cancel, const Target::TransferListener& listener) {
  TransferItems items(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) items[i].file = files[i];
  const TransferProgress progress(listener, items);
  for (;;) {
    LookForFiles(shell, &items);
    progress.Tell(0);
    if (AllDone(items) || cancel.cancelled()) break;
    while (!AllDone(items) && ReceiveBatch(shell, &items, cancel, progress)) {
    }
  }
  std::vector<Downloaded> results;
  for (const TransferItem& item : items) results.push_back(item.done ? item.presence : Downloaded::kMissing);
  return results;
}

}  // namespace cosmos
