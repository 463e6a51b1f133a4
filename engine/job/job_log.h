#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/cancel.h"
#include "core/masker.h"
#include "job/local_log.h"
#include "target/target.h"

namespace cosmos {

// A job's log on its way from the target to the local log file and to whoever listens, each byte once. Positions are
// bytes of the job's own log. Hooks may bring it while the job runs (the first group of functions, any thread); what
// they did not bring the thread that waits for the job brings (the second group), and it checks the whole at the end.
//
// The local file becomes another name of the job's own log where the target shares the file system and there are no
// secrets to mask: so it is complete and current by itself, whatever happens to the engine, until the job has ended and
// what is beyond the limit is cut out of it. Else a file that an earlier
// engine left is gone on with when it is the beginning of the job's log, and begun anew when not.
class JobLog {
 public:
  using Listener = std::function<void(std::string_view bytes)>;

  struct Order {
    Target* target = nullptr;
    JobHandle handle;
    std::filesystem::path local;
    std::int64_t max_bytes = 0;  // of the local file; of one that is the job's own, once the job has ended
    const Masker* masker = nullptr;
    const CancelToken* cancel = nullptr;  // once cancelled, the rest of the log has two minutes to come; may be null
    Listener listener;                    // called on the thread that waits; may be empty
    std::function<void(std::int64_t size)> on_grown;     // the local log's size now; any thread; may be empty
    std::function<void(const std::string&)> on_trouble;  // a sentence for the engine's log; any thread; may be empty
  };

  // All that the order points to must outlive the log.
  explicit JobLog(Order order);

  // For hooks. The contracts stand at cosmos_job_log_1 in sdk/include/cosmos/plugin.h; nullopt and kStopped: closed.
  std::int64_t Position();
  std::optional<std::string> Read(std::int64_t position, std::size_t limit);
  FollowEnd Follow(std::int64_t position,
                   const std::function<bool(std::int64_t position, std::string_view bytes)>& on_bytes);
  // Throws Error{kInvalidInput} for bytes beyond Position().
  void Append(std::int64_t position, std::string_view bytes);
  bool WaitUntilClosed(Duration longest) const { return closed_.WaitFor(longest); }

  // For the thread that waits for the job:
  // How often Pump is to be called; nullopt: not at all, as nobody needs it before the end.
  std::optional<Duration> PumpInterval() const;
  // Passes on what has come, and brings it unless a hook does.
  void Pump();
  // Closes the log to hooks, without the rest; for an engine that gives up.
  void Close() { closed_.Cancel(); }
  // Closes the log to hooks, brings the rest, after the job has ended, compares size and SHA-256 with the job's own
  // log, and brings all of it again when they differ. Gives the local log's size.
  std::int64_t Finish();

 private:
  bool Link();
  void OpenLocal();
  // REQUIRES: mutex_ is held (by `lock`), also for the next three.
  void AppendLocked(std::unique_lock<std::mutex>* lock, std::string_view bytes, bool may_wait);
  bool Hooked() const;  // whether a hook brings the log
  bool HasChanged(const LogPiece& piece) const;
  // Goes on with another file, or the same one from its start, and says so in the local log. `followed`: as many of the
  // last bytes may be of the new content already, which begins with `head`. kChangedThere is to be told then.
  void Restart(const std::string& file, std::int64_t followed = 0, const std::string& head = "");
  // Not under the lock:
  // Whether the log is another one than that which is local up to `position`; then goes on with it, as Restart.
  bool NoticeChange(std::int64_t position, std::int64_t followed);
  // Reads from the target what is there beyond Position(), while `goes_on`, which gets the number of looks so far and
  // of changes among them.
  void Bring(const std::function<bool(int looks, int changes)>& goes_on);
  // Leaves out the middle of a log that is here already, so that only its end is read for the listener.
  void SkipToEnd();
  // All of it, unless the target has no end of it.
  void BringAll();
  void Deliver();
  void Verify();
  void Complain(const std::string& text) const;

  const Order order_;
  bool linked_ = false;
  CancelToken closed_;
  mutable std::mutex mutex_;           // guards all that follows
  std::condition_variable delivered_;  // pending_ was taken
  std::optional<LocalLog> local_;      // unless linked
  StreamMasker stream_masker_;
  std::int64_t position_ = 0;
  std::string file_;         // the target's name for the log's file; empty: not yet known
  bool plain_ = true;        // the local file's bytes are those of the job's log
  bool silent_ = false;      // the bytes that come were passed on before
  std::string pending_;      // for the listener
  int followers_ = 0;        // hooks in Follow
  SteadyTime last_asked_{};  // by a hook
};

}  // namespace cosmos
