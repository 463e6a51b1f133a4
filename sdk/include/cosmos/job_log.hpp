// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_JOB_LOG_HPP_
#define COSMOS_JOB_LOG_HPP_

#include <cosmos/services.hpp>
#include <cosmos/text.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace cosmos::sdk {

// How a job's log was found by a call: still open; open, but the target has no channel to spare at the moment; closed,
// so there is nothing more to do.
enum class LogState { kOpen, kBusy, kClosed };

// The log of one job of a hook's run: on the target, and the local file that it is brought to. Positions are bytes of
// the job's own log. The log is closed once its job has ended; it counts as closed, too, when the run has no such job
// or the host no such service, so a hook needs no case of its own for that.
//
// A value; copies are the same log. Every function may be called from any thread, until the hook's Stop has returned.
//
// Errors: std::runtime_error with the host's sentence when a call could not be served.
class JobLog {
 public:
  struct Piece {
    LogState state = LogState::kClosed;  // kOpen or kClosed
    std::string bytes;                   // any bytes, also NUL and broken UTF-8
  };
  using OnBytes = std::function<void(std::int64_t position, std::string_view bytes)>;

  // `job` is STAGE[.INSTANCE]/ATTEMPT; Hook::LogOf makes it of an event. `run` is the host's, null when it gave none.
  JobLog(const Services& services, cosmos_run* run, std::string job)
      : service_(run == nullptr ? nullptr : services.job_log), run_(run), job_(std::move(job)) {}

  const std::string& job() const noexcept { return job_; }

  // The position behind the last byte that is local. None when there is nothing to bring: the log is closed, or the
  // local file is the job's own.
  std::optional<std::int64_t> Position() const {
    const std::int64_t position = service_ == nullptr ? -1 : service_->position(run_, ToC(job_));
    if (position < 0) return std::nullopt;
    return position;
  }

  // Asks the target for bytes from `position` on, at most `limit`; none when there are none yet, or when the log was
  // truncated or replaced: then Position() begins anew. Blocks while the target cannot be reached.
  Piece Read(std::int64_t position, std::size_t limit) const {
    if (service_ == nullptr) return {};
    TextSink bytes;
    TextSink error;
    const cosmos_status status = service_->read(run_, ToC(job_), position, limit, bytes.sink(), error.sink());
    return {StateOf(status, error.text()), bytes.text()};
  }

  // Passes the bytes from `position` on to `on_bytes` as they are written, each piece with its own position, on this
  // thread, and returns when that cannot go on. kOpen: the connection was lost or the log changed; go on at Position().
  // kBusy: use Read meanwhile. What `on_bytes` throws ends it, and comes out of here.
  LogState Follow(std::int64_t position, const OnBytes& on_bytes) const {
    if (service_ == nullptr) return LogState::kClosed;
    Receiver receiver{on_bytes, nullptr};
    TextSink error;
    const cosmos_status status =
        service_->follow(run_, ToC(job_), position, &Receiver::Receive, &receiver, error.sink());
    if (receiver.thrown) std::rethrow_exception(receiver.thrown);
    return status == COSMOS_FAILED ? LogState::kBusy : StateOf(status, error.text());
  }

  // Writes bytes that stand at `position` of the job's log to the local log. Left out is what is local already, and
  // everything once the log is closed, for the engine brings that itself. Bytes beyond Position() are an error.
  void Append(std::int64_t position, std::string_view bytes) const {
    if (service_ == nullptr) return;
    TextSink error;
    const cosmos_status status = service_->append(run_, ToC(job_), position, ToC(bytes), error.sink());
    StateOf(status, error.text());
  }

  // Waits until the log is closed, at most for `duration`. True when it is closed.
  bool Wait(std::chrono::milliseconds duration) const {
    return service_ == nullptr || service_->wait(run_, ToC(job_), duration.count()) != 0;
  }

 private:
  // Keeps exceptions on this side of the ABI.
  struct Receiver {
    const OnBytes& on_bytes;
    std::exception_ptr thrown;

    static std::int32_t Receive(void* self, std::int64_t position, cosmos_str bytes) noexcept {
      auto& receiver = *static_cast<Receiver*>(self);
      try {
        receiver.on_bytes(position, FromC(bytes));
        return 1;
      } catch (...) {
        receiver.thrown = std::current_exception();
        return 0;
      }
    }
  };

  static LogState StateOf(cosmos_status status, const std::string& error) {
    if (status == COSMOS_OK) return LogState::kOpen;
    if (status == COSMOS_CANCELLED) return LogState::kClosed;
    throw std::runtime_error(error.empty() ? "the host could not serve a call and gave no reason" : error);
  }

  const cosmos_job_log_1* service_;
  cosmos_run* run_;
  std::string job_;
};

}  // namespace cosmos::sdk

#endif  // COSMOS_JOB_LOG_HPP_
