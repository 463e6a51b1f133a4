#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/error.h"
#include "core/fd.h"
#include "core/sha256.h"
#include "core/text.h"
#include "target/ssh/file_transfers.h"
#include "target/ssh/remote_scripts.h"
#include "target/ssh/transfer_items.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxAnswer = 64 << 10;  // bytes of a host's words on files

void Complain(const SshExchange& exchange, const RemoteShell& shell) {
  const std::string errors = exchange.Errors();
  throw Error(ErrorCode::kUnavailable, "the transfer of files with " + shell.name() + " failed: " +
                                           (errors.empty() ? "it does not say what files have come" : errors));
}

std::string PartOf(const TransferItem& item, const std::string& owner) {
  const fs::path remote(item.file.remote);
  return (remote.parent_path() / PartName("", remote.filename(), "." + owner + ".part")).string();
}

// What is sent is summed while it is read, so a sum beforehand is taken only where the host has something to compare.
const std::string& SumOf(TransferItem* item) {
  if (item->file.sha256.empty()) item->file.sha256 = Sha256OfFile(item->file.local);
  return item->file.sha256;
}

// Finds out what the host has of the files.
void LookAtHost(RemoteShell* shell, const std::string& owner, TransferItems* items) {
  std::string script =
      std::string(kSumFunction) +
      "look() {\n"
      "  if [ -f \"$1\" ] && [ \"$(stat -L -c %s -- \"$1\")\" = $3 ]; then echo \"whole $3 $(sum <\"$1\")\"\n"
      "  elif [ -f \"$2\" ]; then echo \"part $(stat -c %s -- \"$2\") $(sum <\"$2\")\"\n"
      "  else echo 'none 0 -'; fi\n"
      "}\n";
  std::int64_t size = 0;
  for (const TransferItem& item : *items) {
    if (item.done) continue;
    size += item.size;
    script += fmt::format("look {} {} {}\n", ShellQuote(item.file.remote), ShellQuote(PartOf(item, owner)), item.size);
  }
  const std::vector<std::string> lines =
      SplitLines(shell->Demand({script, (items->size() + 1) * kMaxReplyOfFile, std::chrono::seconds(size / kSumRate)}));
  std::size_t next = 0;
  for (TransferItem& item : *items) {
    if (item.done) continue;
    char word[16] = "", sha256[80] = "";
    long long size = 0;
    if (next >= lines.size() || std::sscanf(lines[next++].c_str(), "%15s %lld %79s", word, &size, sha256) != 3) {
      throw Error(ErrorCode::kUnavailable, "the host " + shell->name() + " does not tell what files it has");
    }
    item.offset = 0;
    if (std::strcmp(word, "whole") == 0) item.done = SumOf(&item) == sha256;
    if (std::strcmp(word, "part") == 0 && size >= 0 && size <= item.size &&
        Sha256OfFile(item.file.local, size) == sha256) {
      item.offset = size;
    }
  }
}

// Sends what is missing of a file, and the sum of all of it as a line behind it. False when the exchange ended, the
// host takes nothing any more, or `cancel` is cancelled.
bool SendRest(const TransferItem& item, SshExchange* exchange, const CancelToken& cancel,
              const TransferProgress& progress) {
  const Fd file(::open(item.file.local.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) throw IoError("read", item.file.local, errno);
  Sha256Sum sum;
  std::string buffer(kTransferPiece, '\0');
  for (std::int64_t at = 0; at < item.size;) {
    const std::size_t most = std::min<std::size_t>(kTransferPiece, static_cast<std::size_t>(item.size - at));
    const ssize_t n = ::pread(file.get(), buffer.data(), most, at);
    if (n < 0) throw IoError("read", item.file.local, errno);
    if (n == 0) return false;  // it became shorter meanwhile
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
    sum.Add(bytes);
    const std::int64_t known = std::clamp<std::int64_t>(item.offset - at, 0, n);
    at += n;
    if (known == n) continue;
    if (!exchange->Write(bytes.substr(static_cast<std::size_t>(known)), StallLimit(item.offset).end(), &cancel))
      return false;
    progress.Tell(at - item.offset);
  }
  return exchange->Write(sum.Hex() + "\n", StallLimit(item.offset).end(), &cancel);
}

// Sends as many files as go into one script. False when it did not come to their end.
bool SendBatch(RemoteShell* shell, const std::string& owner, TransferItems* items, const CancelToken& cancel,
               const TransferProgress& progress) {
  // The sum is taken while the bytes come; that all of them were written tells the size.
  std::string script = std::string(kSumFunction) +
                       "umask 077\nput() {\n"
                       "  { [ -d \"${1%/*}\" ] || mkdir -p -- \"${1%/*}\"; } && : >>\"$2\" || exit\n"
                       "  if [ $5 = 0 ]; then sum=$(head -c $4 | tee -- \"$2\" | sum)\n"
                       "  else sum=$({ cat -- \"$2\"; head -c $4 | tee -a -- \"$2\"; } | sum); fi\n"
                       "  read -r sent\n"
                       "  if [ \"$sum\" = \"$sent\" ] && [ \"$(stat -c %s -- \"$2\")\" = $3 ]; then\n"
                       "    mv -f -T -- \"$2\" \"$1\" && echo whole || exit\n"
                       "  else echo differs; fi\n"
                       "}\n";
  const std::vector<TransferItem*> batch = NextBatch(
      items,
      [&](const TransferItem& item) {
        return fmt::format("put {} {} {} {} {}\n", ShellQuote(item.file.remote), ShellQuote(PartOf(item, owner)),
                           item.size, item.size - item.offset, item.offset);
      },
      &script);
  const auto exchange = shell->Start(script, SshExchange::Kind::kShort);
  std::string said;
  std::size_t sent = 0, answered = 0;
  // Takes the host's words on the files that it has by now, in their order; `longest`: waits so long for some.
  const auto take = [&](Duration longest) {
    said += shell->Read(exchange.get(), std::chrono::steady_clock::now() + longest);
    for (std::size_t end; answered < sent && (end = said.find('\n')) != said.npos; said.erase(0, end + 1)) {
      TransferItem* const item = batch[answered++];
      item->done = said.compare(0, end, "whole") == 0;
      if (item->done) continue;
      if (exchange->Errors().find("No space left") != std::string::npos) Complain(*exchange, *shell);
      CountTry(item, *shell);
    }
  };
  while (sent < batch.size() && SendRest(*batch[sent], exchange.get(), cancel, progress)) {
    ++sent;
    take(Duration::zero());
  }
  // A file that became shorter under way is tried again, but not for ever.
  const bool stuck = sent < batch.size() && exchange->end() == SshExchange::End::kNone && !cancel.cancelled();
  if (stuck) CountTry(batch[sent], *shell);
  StallLimit stall(SizeOf(batch));
  for (std::size_t before = answered; !stuck && answered < sent && !exchange->ended() && !cancel.cancelled();) {
    take(std::chrono::seconds(1));
    if (answered != std::exchange(before, answered)) stall.Moved();
    if (said.size() > kMaxAnswer || stall.reached()) {
      exchange->Stop();
      Complain(*exchange, *shell);
    }
  }
  const bool failed = exchange->end() == SshExchange::End::kExited && exchange->exit_status() != 0;
  exchange->Stop();
  if (exchange->end() == SshExchange::End::kRefused) std::rethrow_exception(exchange->failure());
  if (failed) Complain(*exchange, *shell);
  return answered == batch.size();
}

}  // namespace

void UploadFiles(RemoteShell* shell, const std::vector<FileTransfer>& files, const std::string& owner,
                 const CancelToken& cancel, const Target::TransferListener& listener) {
  TransferItems items;
  for (const FileTransfer& file : files) {
    TransferItem item;
    item.file = file;
    std::error_code error;
    item.size = static_cast<std::int64_t>(fs::file_size(file.local, error));
    if (error) throw IoError("read", file.local, error.value());
    items.push_back(std::move(item));
  }
  const TransferProgress progress(listener, items);
  while (!cancel.cancelled()) {
    LookAtHost(shell, owner, &items);
    progress.Tell(0);
    if (AllDone(items)) return;
    while (!AllDone(items) && SendBatch(shell, owner, &items, cancel, progress)) {
    }
  }
}

}  // namespace cosmos
