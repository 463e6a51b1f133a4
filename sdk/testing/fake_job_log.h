// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_SDK_TESTING_FAKE_JOB_LOG_H_
#define COSMOS_SDK_TESTING_FAKE_JOB_LOG_H_

#include <cosmos/plugin.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos::sdk::testing {

// One job's log on its target, and the local log that a hook brings it to, both in memory: what cosmos.job_log/1 does
// for one job, with the faults that a test asks for. Thread-safe.
class FakeJobLog {
 public:
  // What a local log says where its job's log was replaced.
  static constexpr const char* kReplaced = "[replaced]\n";

  struct Calls {
    std::vector<std::int64_t> follows;  // the positions asked for
    std::vector<std::int64_t> reads;
    std::vector<std::int64_t> waits;  // in milliseconds
    std::size_t repeated = 0;         // bytes that were appended although they were local already
  };

  // What happens to the log.
  void Write(std::string_view bytes);
  void Replace(std::string_view bytes);
  void Close();

  // What goes wrong: so many calls of follow find no channel to spare; the connection is lost once, when follow has
  // given so many more bytes; every append fails with that sentence.
  void RefuseFollow(int calls);
  void LoseConnectionAfter(std::size_t bytes);
  void FailAppend(std::string sentence);

  // What happens next when the plugin has to wait, in wait or in follow: the steps stand in for the passing of time.
  // When none is left, wait takes real time, and follow waits for the test's other threads. Called without a lock.
  void Then(std::function<void()> step);

  std::string local() const;
  Calls calls() const;

  // Wait for the plugin's threads; false when it takes more than a minute.
  bool AwaitLocal(std::string_view text) const;
  bool AwaitFollower() const;  // that follow has given all there is and waits for more

  // The services' side; see cosmos_job_log_1.
  std::int64_t Position() const;
  cosmos_status Read(std::int64_t position, std::size_t limit, cosmos_sink bytes, cosmos_sink error);
  cosmos_status Follow(std::int64_t position, std::int32_t (*on_bytes)(void*, std::int64_t, cosmos_str), void* self);
  cosmos_status Append(std::int64_t position, std::string_view bytes, cosmos_sink error);
  bool Wait(std::int64_t milliseconds);

 private:
  using Lock = std::unique_lock<std::mutex>;

  bool RunStep(Lock* lock);
  // Begins anew when the log was replaced, and says whether it was.
  bool BeginAnew();

  mutable std::mutex mutex_;  // guards all below
  mutable std::condition_variable changed_;
  std::string remote_;
  std::string local_;
  std::int64_t position_ = 0;
  bool replaced_ = false;
  bool closed_ = false;
  bool follower_waits_ = false;
  int refusals_ = 0;
  std::optional<std::size_t> until_loss_;
  std::string append_error_;
  std::deque<std::function<void()>> steps_;
  Calls calls_;
};

}  // namespace cosmos::sdk::testing

#endif  // COSMOS_SDK_TESTING_FAKE_JOB_LOG_H_
