#include "target/ssh/file_transfers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>

#include "core/error.h"
#include "core/fd.h"
#include "core/files.h"
#include "core/sha256.h"
#include "core/text.h"
#include "target/ssh/remote_scripts.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kPiece = 1 << 18;
constexpr std::size_t kLongestScript = 24 << 10;  // an SSH server need not take longer requests than 35,000 bytes
constexpr int kTries = 3;                         // of a file that arrives, and differs

// `sum` prints the SHA-256 of its stdin. openssl is several times faster than coreutils where it is there.
constexpr const char* kSum =
    "if command -v openssl >/dev/null; then sum() { openssl dgst -sha256 -r | cut -c1-64; }\n"
    "else sum() { sha256sum | cut -c1-64; }\nfi\n";

// One file on its way.
struct Item {
  FileTransfer file;
  std::int64_t size = 0;
  std::string sha256;
  std::int64_t offset = 0;  // so much of it is there already
  bool done = false;
  bool found = true;
  int tries = 0;
};

class Progress {
 public:
  Progress(const Target::TransferListener& listener, const std::vector<Item>& items)
      : listener_(listener), items_(items) {}

  // `more`: bytes of the file under way besides its offset.
  void Tell(std::int64_t more) const {
    if (!listener_) return;
    std::int64_t done = more, total = 0;
    for (const Item& item : items_) {
      total += item.size;
      done += item.done ? item.size : item.offset;
    }
    listener_(std::min(done, total), total);
  }

 private:
  const Target::TransferListener& listener_;
  const std::vector<Item>& items_;
};

// As many of the items that are not done as go into one script, each with its line of it.
std::vector<Item*> NextBatch(std::vector<Item>* items, const std::function<std::string(const Item&)>& line_of,
                             std::string* script) {
  std::vector<Item*> batch;
  for (Item& item : *items) {
    if (item.done) continue;
    const std::string line = line_of(item);
    if (!batch.empty() && script->size() + line.size() > kLongestScript) break;
    *script += line;
    batch.push_back(&item);
  }
  return batch;
}

bool AllDone(const std::vector<Item>& items) {
  return std::all_of(items.begin(), items.end(), [](const Item& item) { return item.done; });
}

void CountTry(Item* item, const RemoteShell& shell) {
  if (++item->tries < kTries) return;
  throw Error(ErrorCode::kUnavailable,
              "the file " + item->file.local.string() + " and " + item->file.remote + " on " + shell.name() +
                  " differ after each of " + std::to_string(kTries) + " transfers",
              "check whether something writes to it");
}

void Complain(const SshExchange& exchange, const RemoteShell& shell) {
  throw Error(ErrorCode::kUnavailable, "the transfer of files with " + shell.name() + " failed: " + exchange.Errors());
}

// --- to the host

std::string PartOf(const Item& item, const std::string& owner) { return item.file.remote + "." + owner + ".part"; }

// What is sent is summed while it is read, so a sum beforehand is taken only where the host has something to compare.
const std::string& SumOf(Item* item) {
  if (item->sha256.empty()) item->sha256 = Sha256OfFile(item->file.local);
  return item->sha256;
}

// Finds out what the host has of the files.
void LookAtHost(RemoteShell* shell, const std::string& owner, std::vector<Item>* items) {
  std::string script =
      std::string("printf 'cosmos-begin\\n'\n") + kSum +
      "look() {\n"
      "  if [ -f \"$1\" ] && [ \"$(stat -L -c %s -- \"$1\")\" = $3 ]; then echo \"whole $3 $(sum <\"$1\")\"\n"
      "  elif [ -f \"$2\" ]; then echo \"part $(stat -c %s -- \"$2\") $(sum <\"$2\")\"\n"
      "  else echo 'none 0 -'; fi\n"
      "}\n";
  for (const Item& item : *items) {
    if (item.done) continue;
    script += fmt::format("look {} {} {}\n", ShellQuote(item.file.remote), ShellQuote(PartOf(item, owner)), item.size);
  }
  const std::vector<std::string> lines = SplitLines(shell->Demand(script));
  std::size_t next = 0;
  for (Item& item : *items) {
    if (item.done) continue;
    char word[16] = "", sha256[80] = "";
    long long size = 0;
    if (next >= lines.size() || std::sscanf(lines[next++].c_str(), "%15s %lld %79s", word, &size, sha256) != 3) {
      throw Error(ErrorCode::kUnavailable, "the host " + shell->name() + " does not tell what files it has");
    }
    item.offset = 0;
    if (std::strcmp(word, "whole") == 0) item.done = SumOf(&item) == sha256;
    if (std::strcmp(word, "part") == 0 && size <= item.size && Sha256OfFile(item.file.local, size) == sha256) {
      item.offset = size;
    }
  }
}

// Sends what is missing of a file, and the sum of all of it as a line behind it. False when the exchange ended or
// `cancel` is cancelled.
bool SendRest(const Item& item, SshExchange* exchange, const CancelToken& cancel, const Progress& progress) {
  const Fd file(::open(item.file.local.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) throw IoError("read", item.file.local, errno);
  Sha256Sum sum;
  std::string buffer(kPiece, '\0');
  for (std::int64_t at = 0; at < item.size;) {
    const std::size_t most = std::min<std::size_t>(kPiece, static_cast<std::size_t>(item.size - at));
    const ssize_t n = ::pread(file.get(), buffer.data(), most, at);
    if (n < 0) throw IoError("read", item.file.local, errno);
    if (n == 0) return false;  // it became shorter meanwhile
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
    sum.Add(bytes);
    const std::int64_t known = std::clamp<std::int64_t>(item.offset - at, 0, n);
    at += n;
    if (known == n) continue;
    if (!exchange->Write(bytes.substr(static_cast<std::size_t>(known)), &cancel)) return false;
    progress.Tell(at - item.offset);
  }
  return exchange->Write(sum.Hex() + "\n", &cancel);
}

// Sends as many files as go into one script. False when it did not come to their end.
bool SendBatch(RemoteShell* shell, const std::string& owner, std::vector<Item>* items, const CancelToken& cancel,
               const Progress& progress) {
  // The sum is taken while the bytes come; that all of them were written tells the size.
  std::string script = std::string(kSum) +
                       "put() {\n"
                       "  { [ -d \"${1%/*}\" ] || mkdir -p -- \"${1%/*}\"; } && : >>\"$2\" || exit\n"
                       "  if [ $5 = 0 ]; then sum=$(head -c $4 | tee -- \"$2\" | sum)\n"
                       "  else sum=$({ cat -- \"$2\"; head -c $4 | tee -a -- \"$2\"; } | sum); fi\n"
                       "  read -r sent\n"
                       "  if [ \"$sum\" = \"$sent\" ] && [ \"$(stat -c %s -- \"$2\")\" = $3 ]; then\n"
                       "    mv -f -T -- \"$2\" \"$1\" && echo whole || exit\n"
                       "  else echo differs; fi\n"
                       "}\n";
  const std::vector<Item*> batch = NextBatch(
      items,
      [&](const Item& item) {
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
      Item* const item = batch[answered++];
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
  while (!stuck && answered < sent && !exchange->ended() && !cancel.cancelled()) take(std::chrono::seconds(1));
  const bool failed = exchange->end() == SshExchange::End::kExited && exchange->exit_status() != 0;
  exchange->Stop();
  if (exchange->end() == SshExchange::End::kRefused) std::rethrow_exception(exchange->failure());
  if (failed) Complain(*exchange, *shell);
  return answered == batch.size();
}

// --- from the host

fs::path PartOf(const Item& item) {
  return item.file.local.parent_path() / ("." + item.file.local.filename().string() + ".part");
}

// Finds out which files the host has. Their sums are asked for only where there is something to compare.
void LookForFiles(RemoteShell* shell, std::vector<Item>* items) {
  std::string script = std::string("printf 'cosmos-begin\\n'\n") + kSum +
                       "look() {\n"
                       "  if ! [ -f \"$1\" ]; then echo '-1 -'\n"
                       "  elif [ $2 = 1 ]; then echo \"$(stat -L -c %s -- \"$1\") $(sum <\"$1\")\"\n"
                       "  else echo \"$(stat -L -c %s -- \"$1\") -\"; fi\n"
                       "}\n";
  std::error_code error;
  for (const Item& item : *items) {
    if (item.done) continue;
    script += "look " + ShellQuote(item.file.remote) + (fs::exists(item.file.local, error) ? " 1\n" : " 0\n");
  }
  const std::vector<std::string> lines = SplitLines(shell->Demand(script));
  std::size_t next = 0;
  for (Item& item : *items) {
    if (item.done) continue;
    char sha256[80] = "";
    long long size = 0;
    if (next >= lines.size() || std::sscanf(lines[next++].c_str(), "%lld %79s", &size, sha256) != 2) {
      throw Error(ErrorCode::kUnavailable, "the host " + shell->name() + " does not tell what files it has");
    }
    item.found = size >= 0;
    item.size = std::max<std::int64_t>(size, 0);
    const auto here = static_cast<std::int64_t>(fs::file_size(item.file.local, error));
    item.done = !item.found || (!error && here == item.size && Sha256OfFile(item.file.local) == sha256);
    const auto part = static_cast<std::int64_t>(fs::file_size(PartOf(item), error));
    item.offset = error || part > item.size ? 0 : part;
  }
}

// Takes in the rest of a file and gives the sum of all of it. Nothing when the exchange ended before all was there, or
// `cancel` is cancelled.
std::optional<std::string> ReceiveRest(const Item& item, RemoteShell* shell, SshExchange* exchange, std::string* ahead,
                                       const CancelToken& cancel, const Progress& progress) {
  MakeFolders(item.file.local.parent_path());
  const fs::path part = PartOf(item);
  const Fd file(::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file.valid()) throw IoError("write", part, errno);
  Sha256Sum sum;
  std::string buffer(kPiece, '\0');
  for (std::int64_t at = 0; at < item.offset;) {
    const std::size_t most = std::min<std::size_t>(kPiece, static_cast<std::size_t>(item.offset - at));
    const ssize_t n = ::pread(file.get(), buffer.data(), most, at);
    if (n <= 0) throw IoError("read", part, n == 0 ? EIO : errno);
    sum.Add({buffer.data(), static_cast<std::size_t>(n)});
    at += n;
  }
  if (::ftruncate(file.get(), item.offset) != 0) throw IoError("write", part, errno);
  for (std::int64_t at = item.offset; at < item.size;) {
    if (ahead->empty()) *ahead = shell->Read(exchange, std::chrono::steady_clock::now() + std::chrono::seconds(1));
    if (cancel.cancelled() || (ahead->empty() && exchange->ended())) return std::nullopt;
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
void Settle(Item* item, const std::string& ours, const std::string& theirs, const RemoteShell& shell) {
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
bool ReceiveBatch(RemoteShell* shell, std::vector<Item>* items, const CancelToken& cancel, const Progress& progress) {
  std::string script = std::string(kSum) +
                       "get() { { echo \"sum $(sum <\"$1\")\" >&2; } & tail -c +$2 -- \"$1\" | head -c $3; wait; }\n";
  const std::vector<Item*> batch = NextBatch(
      items,
      [](const Item& item) {
        return fmt::format("get {} {} {}\n", ShellQuote(item.file.remote), item.offset + 1, item.size - item.offset);
      },
      &script);
  const auto exchange = shell->Start(script, SshExchange::Kind::kShort);
  std::string ahead;
  std::vector<std::string> sums;
  while (sums.size() < batch.size()) {
    Item* const item = batch[sums.size()];
    const auto sum = ReceiveRest(*item, shell, exchange.get(), &ahead, cancel, progress);
    if (!sum) break;
    sums.push_back(*sum);
  }
  while (sums.size() == batch.size() && !exchange->ended() && !cancel.cancelled()) {
    shell->Read(exchange.get(), std::chrono::steady_clock::now() + std::chrono::seconds(1));
  }
  const bool ended = exchange->end() == SshExchange::End::kExited;
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
  // A file that became shorter under way is looked at anew, but not for ever.
  if (told < batch.size() && ended) CountTry(batch[told], *shell);
  return told == batch.size();
}

}  // namespace

void UploadFiles(RemoteShell* shell, const std::vector<FileTransfer>& files, const std::string& owner,
                 const CancelToken& cancel, const Target::TransferListener& listener) {
  std::vector<Item> items;
  for (const FileTransfer& file : files) {
    Item item;
    item.file = file;
    std::error_code error;
    item.size = static_cast<std::int64_t>(fs::file_size(file.local, error));
    if (error) throw IoError("read", file.local, error.value());
    items.push_back(std::move(item));
  }
  const Progress progress(listener, items);
  while (!cancel.cancelled()) {
    LookAtHost(shell, owner, &items);
    progress.Tell(0);
    if (AllDone(items)) return;
    while (!AllDone(items) && SendBatch(shell, owner, &items, cancel, progress)) {
    }
  }
}

std::vector<bool> DownloadFiles(RemoteShell* shell, const std::vector<FileTransfer>& files, const CancelToken& cancel,
                                const Target::TransferListener& listener) {
  std::vector<Item> items(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) items[i].file = files[i];
  const Progress progress(listener, items);
  for (;;) {
    LookForFiles(shell, &items);
    progress.Tell(0);
    if (AllDone(items) || cancel.cancelled()) break;
    while (!AllDone(items) && ReceiveBatch(shell, &items, cancel, progress)) {
    }
  }
  std::vector<bool> found;
  for (const Item& item : items) found.push_back(item.found && item.done);
  return found;
}

}  // namespace cosmos
