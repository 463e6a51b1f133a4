#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/fd.h"
#include "target/ssh/passphrase.h"
#include "target/ssh/ssh_client.h"
#include "target/ssh/ssh_exchange.h"
#include "target/ssh/ssh_options.h"
#include "target/ssh/ssh_session.h"

namespace cosmos {

// What happened to the connection to a host; told on the connection's thread.
struct ConnectionChange {
  enum class Kind {
    kConnected,
    kLost,  // also when it cannot be made in the first place, once
    kReconnected,
  };
  Kind kind;
  std::string reason;  // of kLost
};

// The one connection to a host, shared by everything, with a thread that owns it. Commands get a channel each, within
// what the server allows at once (sshd's MaxSessions; found out by being refused). Made when the first command comes;
// when it is lost, commands under way end as lost, and it is made again, with growing pauses, while any command waits.
// Thread-safe.
class SshConnection {
 public:
  using Observer = std::function<void(const ConnectionChange&)>;

  // `observer` may be empty.
  SshConnection(SshOptions options, Observer observer);
  // Ends what is under way, and closes the connection.
  ~SshConnection();
  SshConnection(const SshConnection&) = delete;
  SshConnection& operator=(const SshConnection&) = delete;

  // Hands a command over, with the mark at which its output begins; it starts when there is a connection and a channel
  // for it. The exchange must not be used any more when the connection is destroyed.
  std::shared_ptr<SshExchange> Start(const std::string& command, std::string_view begin, SshExchange::Kind kind);
  // Returns once there is a connection. Throws what makes one impossible, or, when time is over or `cancel` is
  // cancelled, why there is none yet.
  void Connect(SteadyTime until, const CancelToken* cancel);
  // What went wrong when it was tried last; empty while connected.
  std::string problem() const;
  // Since when there is no connection; nullopt while there is one.
  std::optional<SteadyTime> down_since() const;
  // The host's key as `SHA256:…`; empty without a connection.
  std::string fingerprint() const;
  const SshOptions& options() const { return options_; }

 private:
  // A command and its channel.
  struct Talk {
    std::shared_ptr<SshExchange> exchange;
    ssh_channel channel = nullptr;
    std::size_t beside = 0;  // channels that may have had a place on the host when this one was asked for
    std::size_t closes = 0;  // what closes_ was then
    enum class Step { kOpening, kRequesting, kRunning } step = Step::kOpening;
    bool input_closed = false;
  };

  // All of these on the connection's thread.
  void Serve();
  bool HasDemand() const;
  void TryToConnect();
  const SshSettings& Settings();
  void TellProblem(const std::exception_ptr& problem);
  void ServeOnce();
  void StartWaiting();
  bool Pump(Talk* talk);  // false: it has ended
  bool PumpOutput(Talk* talk);
  void PumpInput(Talk* talk);
  bool Open(Talk* talk);
  int PauseInMs() const;
  std::size_t Closing() const;  // channels that were closed only just and may still have a place on the host
  void Refuse(Talk* talk);
  void MakeRoom();
  void KeepAlive();
  void Lose(const std::string& reason);
  void EndSession();
  void FailAll(SshExchange::End end, std::exception_ptr failure);
  void Close(Talk* talk);
  void WaitFor(Duration longest);
  std::size_t Held() const;

  const SshOptions options_;
  const Observer observer_;
  Fd wake_up_;

  CancelToken stopped_;  // by the destructor

  // Of the connection's thread alone.
  const SshClient client_;
  std::optional<SshSettings> settings_;  // once asked for; kept for reconnections
  Passphrase passphrase_;
  std::unique_ptr<SshSession> session_;
  ssh_event event_ = nullptr;
  std::unique_ptr<char[]> buffer_;  // how much a host may send ahead in one channel
  std::list<Talk> talks_;
  std::size_t most_channels_ = 10;   // sshd's default
  std::size_t closes_ = 0;           // channels that were closed
  std::size_t closes_heard_of_ = 0;  // of which so many the host certainly knows
  SteadyTime last_close_{};
  std::optional<SteadyTime> refused_since_;  // when the host refused a channel beside which there was none
  SteadyTime next_open_{};
  bool moved_ = false;  // bytes or steps, in this round
  bool was_connected_ = false;
  std::string told_problem_;  // to the observer, since the last connection
  int failures_ = 0;
  SteadyTime next_try_{};
  SteadyTime last_sign_{};  // of life
  SteadyTime next_keep_alive_{};
  std::uint64_t last_received_ = 0;
  std::minstd_rand random_;

  std::condition_variable changed_;  // for Connect: a try to connect has ended
  mutable std::mutex mutex_;         // guards what follows
  std::deque<std::shared_ptr<SshExchange>> waiting_;
  std::exception_ptr problem_;
  std::string problem_text_;
  std::string fingerprint_;
  bool connected_ = false;
  SteadyTime down_since_ = std::chrono::steady_clock::now();
  bool trying_ = false;  // to connect, at this moment
  bool wanted_ = false;  // somebody waits for the connection itself
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace cosmos
