#include "target/ssh/ssh_connection.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "target/ssh/libssh_settings.h"

namespace cosmos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kConnectTime = seconds(10);
constexpr auto kKeepAlive = seconds(15);
constexpr auto kDead = seconds(45);  // without a sign of life
constexpr auto kLongestPause = seconds(30);
constexpr auto kPlaceFreed = milliseconds(5);  // the host knows by then that a channel is closed
constexpr auto kOpenPause = milliseconds(10);  // before a host is asked again that has no place for a single channel
constexpr auto kLongestRefusal = seconds(10);  // of such a host
constexpr int kMaxPieces = 16;                 // of a channel's output in one turn
constexpr std::uint32_t kErrorPiece = 1 << 14;
constexpr std::size_t kInputPiece = 1 << 17;

std::string TextOf(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const Error& error) {
    return error.message();
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::string TextWithHint(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const Error& error) {
    return error.message() +
           (error.hint().empty() || error.code() == ErrorCode::kConnectionLost ? "" : "; " + error.hint());
  } catch (const std::exception& error) {
    return error.what();
  }
}

bool WillStay(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const Error& error) {
    return error.code() != ErrorCode::kConnectionLost;
  } catch (const std::exception&) {
    return true;
  }
}

int IgnoreWakeUp(socket_t fd, int, void*) {
  std::uint64_t count = 0;
  static_cast<void>(!::read(fd, &count, sizeof count));
  return 0;
}

}  // namespace

SshConnection::SshConnection(SshOptions options, Observer observer)
    : options_(std::move(options)),
      observer_(std::move(observer)),
      wake_up_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      passphrase_(NameOf(options_), options_.asks),
      buffer_(new char[SshExchange::kMostBuffered]),
      random_(std::random_device()()) {
  if (!wake_up_.valid()) throw Error(ErrorCode::kUnavailable, "no file descriptor is left for a connection");
  thread_ = std::thread([this] { Serve(); });
}

SshConnection::~SshConnection() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.Cancel();
  ::eventfd_write(wake_up_.get(), 1);
  thread_.join();
}

std::shared_ptr<SshExchange> SshConnection::Start(const std::string& command, std::string_view begin,
                                                  SshExchange::Kind kind) {
  auto exchange = std::make_shared<SshExchange>(command, begin, kind);
  exchange->SetWakeUp(wake_up_.get());
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(exchange);
  }
  ::eventfd_write(wake_up_.get(), 1);
  return exchange;
}

void SshConnection::Connect(SteadyTime until, const CancelToken* cancel) {
  std::unique_lock lock(mutex_);
  if (!trying_) problem_ = nullptr;  // it may have been mended since
  while (!connected_) {
    // A try to connect may take as long as a person needs to type a passphrase.
    const bool over = cancel->cancelled() || (!trying_ && std::chrono::steady_clock::now() >= until);
    if (problem_ && (over || WillStay(problem_))) std::rethrow_exception(problem_);
    if (over) throw Error(ErrorCode::kConnectionLost, "there is no connection to " + NameOf(options_) + " yet");
    wanted_ = true;
    ::eventfd_write(wake_up_.get(), 1);
    changed_.wait_for(lock, milliseconds(100));
  }
}

std::string SshConnection::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_text_;
}

std::optional<SteadyTime> SshConnection::down_since() const {
  const std::lock_guard lock(mutex_);
  return connected_ ? std::nullopt : std::optional(down_since_);
}

std::string SshConnection::fingerprint() const {
  const std::lock_guard lock(mutex_);
  return fingerprint_;
}

void SshConnection::Serve() {
  // Signals are for the program's other threads; a connection that breaks while it is written to is an error there.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    if (session_) {
      ServeOnce();
    } else if (!HasDemand()) {
      WaitFor(std::chrono::hours(1));
    } else if (std::chrono::steady_clock::now() < next_try_) {
      WaitFor(next_try_ - std::chrono::steady_clock::now());
    } else {
      TryToConnect();
    }
  }
  FailAll(SshExchange::End::kLost, nullptr);
  for (Talk& talk : talks_) Close(&talk);
  if (session_) EndSession();
}

void SshConnection::EndSession() {
  ssh_event_remove_session(event_, session_->get());
  ssh_event_remove_fd(event_, wake_up_.get());  // libssh would not free what it keeps of it
  ssh_event_free(std::exchange(event_, nullptr));
  session_.reset();
}

bool SshConnection::HasDemand() const {
  const std::lock_guard lock(mutex_);
  return wanted_ || !waiting_.empty();
}

void SshConnection::WaitFor(Duration longest) {
  pollfd wait = {wake_up_.get(), POLLIN, 0};
  ::poll(&wait, 1, static_cast<int>(std::chrono::ceil<milliseconds>(longest).count()));
  IgnoreWakeUp(wake_up_.get(), 0, nullptr);
}

const SshSettings& SshConnection::Settings() {
  if (settings_) return *settings_;
  CheckNames(options_);
  settings_ = client_.FindWay(options_, stopped_);
  if (!settings_) settings_ = SettingsOfLibssh(options_);
  return *settings_;
}

void SshConnection::TryToConnect() {
  {
    const std::lock_guard lock(mutex_);
    trying_ = true;
  }
  std::exception_ptr problem;
  try {
    session_ = std::make_unique<SshSession>(options_, Settings(), &passphrase_, kConnectTime, stopped_);
  } catch (const std::exception&) {
    problem = std::current_exception();
  }
  if (problem) {
    const bool stays = !was_connected_ && WillStay(problem);
    {
      const std::lock_guard lock(mutex_);
      trying_ = false;
      problem_ = problem;
      problem_text_ = TextOf(problem);
      wanted_ = false;
    }
    changed_.notify_all();
    if (stays) FailAll(SshExchange::End::kRefused, problem);
    if (!stays) TellProblem(problem);
    // 1, 2, 4 … 30 s, each by chance between the half and the whole of it, so that many engines do not come at once.
    const Duration pause = std::min<Duration>(kLongestPause, seconds(1) * (1 << std::min(failures_++, 5)));
    next_try_ = std::chrono::steady_clock::now() + pause / 2 +
                Duration(random_() % static_cast<unsigned long>(pause.count() / 2));
    return;
  }
  failures_ = 0;
  told_problem_.clear();
  next_try_ = {};
  last_sign_ = std::chrono::steady_clock::now();
  next_keep_alive_ = last_sign_ + kKeepAlive;
  last_received_ = 0;
  event_ = ssh_event_new();
  ssh_event_add_session(event_, session_->get());
  ssh_event_add_fd(event_, wake_up_.get(), POLLIN, IgnoreWakeUp, nullptr);
  {
    const std::lock_guard lock(mutex_);
    connected_ = true;
    trying_ = wanted_ = false;
    problem_ = nullptr;
    problem_text_.clear();
    fingerprint_ = session_->Fingerprint();
  }
  changed_.notify_all();
  using Kind = ConnectionChange::Kind;
  if (observer_) observer_({std::exchange(was_connected_, true) ? Kind::kReconnected : Kind::kConnected, ""});
}

// Once for each: that a host is not there, which the loss of a connection said already, and what somebody must do for
// it to be reached again, such as when its key has changed.
void SshConnection::TellProblem(const std::exception_ptr& problem) {
  const std::string text = was_connected_ && !WillStay(problem) ? "" : TextWithHint(problem);
  if (text.empty() || (!WillStay(problem) && failures_ > 0) || text == told_problem_) return;
  told_problem_ = text;
  if (observer_) observer_({ConnectionChange::Kind::kLost, text});
}

void SshConnection::ServeOnce() {
  moved_ = false;
  StartWaiting();
  for (auto talk = talks_.begin(); talk != talks_.end();) {
    if (Pump(&*talk)) {
      ++talk;
    } else {
      Close(&*talk);
      talk = talks_.erase(talk);
    }
  }
  if (!session_->connected()) return Lose(session_->Reason());
  KeepAlive();
  if (!session_) return;
  if (ssh_event_dopoll(event_, PauseInMs()) == SSH_ERROR || !session_->connected()) Lose(session_->Reason());
}

// A step of one channel may have taken in packets of another one, of which poll(2) then knows nothing.
int SshConnection::PauseInMs() const {
  if (moved_) return 0;
  const bool opening =
      std::any_of(talks_.begin(), talks_.end(), [](const Talk& talk) { return talk.step != Talk::Step::kRunning; });
  if (opening || (Closing() > 0 && HasDemand())) return 1;
  if (std::chrono::steady_clock::now() < next_open_) return static_cast<int>(kOpenPause.count());
  const auto pause = std::chrono::ceil<milliseconds>(next_keep_alive_ - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<long>(pause.count(), 0, 1000));
}

std::size_t SshConnection::Held() const {
  return static_cast<std::size_t>(std::count_if(talks_.begin(), talks_.end(), [](const Talk& talk) {
    return talk.exchange->kind() != SshExchange::Kind::kShort && talk.exchange->end() == SshExchange::End::kNone;
  }));
}

// Asked for a place that it does not know to be free, a host would refuse it.
std::size_t SshConnection::Closing() const {
  return std::chrono::steady_clock::now() < last_close_ + kPlaceFreed ? closes_ - closes_heard_of_ : 0;
}

// Held channels leave one for short commands, where the host allows more than one at all.
void SshConnection::StartWaiting() {
  std::deque<std::shared_ptr<SshExchange>> rest;
  {
    const std::lock_guard lock(mutex_);
    rest.swap(waiting_);
  }
  std::deque<std::shared_ptr<SshExchange>> later;
  for (auto& exchange : rest) {
    const bool held = exchange->kind() != SshExchange::Kind::kShort;
    if (exchange->stopped()) {
      exchange->SetEnd(SshExchange::End::kLost);
    } else if (held && Held() + 1 >= most_channels_) {
      exchange->SetEnd(SshExchange::End::kBusy);
    } else if (talks_.size() + Closing() >= most_channels_ || std::chrono::steady_clock::now() < next_open_) {
      later.push_back(std::move(exchange));
    } else {
      const std::size_t beside = talks_.size() + closes_ - closes_heard_of_;
      talks_.push_back({std::move(exchange), ssh_channel_new(session_->get()), beside, closes_});
    }
  }
  const std::lock_guard lock(mutex_);
  waiting_.insert(waiting_.begin(), later.begin(), later.end());
}

bool SshConnection::Pump(Talk* talk) {
  if (talk->step != Talk::Step::kRunning && !Open(talk)) return false;
  if (talk->step != Talk::Step::kRunning) return true;
  if (talk->exchange->stopped() && talk->exchange->kind() == SshExchange::Kind::kShort) {
    talk->exchange->SetEnd(SshExchange::End::kLost);
    return false;
  }
  PumpInput(talk);
  if (PumpOutput(talk) || !session_->connected()) return true;
  if (talk->exchange->end() == SshExchange::End::kNone) {
    talk->exchange->SetEnd(SshExchange::End::kExited, ssh_channel_get_exit_status(talk->channel));
  }
  return false;
}

// False when the channel will not come to be.
bool SshConnection::Open(Talk* talk) {
  if (talk->step == Talk::Step::kOpening) {
    const int result = ssh_channel_open_session(talk->channel);
    if (result == SSH_AGAIN) return true;
    closes_heard_of_ = std::max(closes_heard_of_, talk->closes);  // what it was told before, it knows
    if (result != SSH_OK) {
      if (session_->connected()) Refuse(talk);
      return !session_->connected();  // a lost connection is seen to for all channels at once
    }
    talk->step = Talk::Step::kRequesting;
    refused_since_.reset();
    moved_ = true;
    if (talk->exchange->end() != SshExchange::End::kNone) return false;
    talk->exchange->SetOpened();
  }
  const int result = ssh_channel_request_exec(talk->channel, talk->exchange->command().c_str());
  if (result == SSH_AGAIN) return true;
  if (result != SSH_OK) {
    if (!session_->connected()) return true;
    talk->exchange->SetEnd(
        SshExchange::End::kRefused, -1,
        std::make_exception_ptr(
            Error(ErrorCode::kUnavailable, NameOf(options_) + " executes no commands: " + session_->Reason())));
    return false;
  }
  talk->step = Talk::Step::kRunning;
  moved_ = true;
  return true;
}

// The host has no further channel: the command waits until another one has ended. What ended long ago may still have
// its place there, as long as its processes live.
void SshConnection::Refuse(Talk* talk) {
  if (talk->exchange->end() != SshExchange::End::kNone) return;
  const SteadyTime now = std::chrono::steady_clock::now();
  if (talk->beside > 0) {
    most_channels_ = std::min(most_channels_, talk->beside);
    MakeRoom();
  } else if (now > refused_since_.value_or(now) + kLongestRefusal) {
    talk->exchange->SetEnd(
        SshExchange::End::kRefused, -1,
        std::make_exception_ptr(
            Error(ErrorCode::kUnavailable, NameOf(options_) + " opens no channel: " + session_->Reason())));
    return;
  } else {
    refused_since_ = refused_since_.value_or(now);
    next_open_ = now + kOpenPause;
  }
  const std::lock_guard lock(mutex_);
  waiting_.push_front(talk->exchange);
}

// Followers give their place up first; where there is but one channel, nothing can be held.
void SshConnection::MakeRoom() {
  std::size_t held = Held();
  for (const auto kind : {SshExchange::Kind::kFollow, SshExchange::Kind::kWatch}) {
    for (auto talk = talks_.rbegin(); talk != talks_.rend() && held + 1 > most_channels_; ++talk) {
      if (talk->exchange->kind() != kind || talk->exchange->end() != SshExchange::End::kNone) continue;
      talk->exchange->SetEnd(SshExchange::End::kBusy);
      --held;
      if (talk->step == Talk::Step::kOpening) continue;  // it is closed as soon as it is open
      ssh_channel_send_eof(talk->channel);
      talk->input_closed = true;
    }
  }
}

void SshConnection::PumpInput(Talk* talk) {
  while (!talk->input_closed) {
    const std::uint32_t window = ssh_channel_window_size(talk->channel);
    bool close = false;
    const std::string bytes = talk->exchange->PeekInput(std::min<std::size_t>(window, kInputPiece), &close);
    if (!bytes.empty()) {
      const int written = ssh_channel_write(talk->channel, bytes.data(), static_cast<std::uint32_t>(bytes.size()));
      if (written <= 0) return;
      moved_ = true;
      talk->exchange->ConsumeInput(static_cast<std::size_t>(written));
      if (static_cast<std::size_t>(written) < bytes.size()) return;
    }
    if (close) {
      ssh_channel_send_eof(talk->channel);
      talk->input_closed = true;
    }
    if (bytes.empty()) return;
  }
}

// False when the command has ended and all that it printed is passed on. A host that prints without end has its turn
// as every other channel, the keep-alives and the end of the connection have theirs.
bool SshConnection::PumpOutput(Talk* talk) {
  for (int pieces = 0; pieces < kMaxPieces; ++pieces) {
    const std::size_t room = std::min(talk->exchange->RoomForOutput(), SshExchange::kMostBuffered);
    if (room == 0) return true;
    const bool closed = ssh_channel_is_closed(talk->channel) != 0;
    // libssh gives what there is, and widens the channel's window to what was asked for.
    int n = ssh_channel_read_timeout(talk->channel, buffer_.get(), static_cast<std::uint32_t>(room), 0, 0);
    if (n > 0) {
      moved_ = true;
      talk->exchange->AddOutput({buffer_.get(), static_cast<std::size_t>(n)});
      continue;
    }
    n = ssh_channel_read_timeout(talk->channel, buffer_.get(), kErrorPiece, 1, 0);
    if (n > 0) {
      moved_ = true;
      talk->exchange->AddErrors({buffer_.get(), static_cast<std::size_t>(n)});
      continue;
    }
    return !closed;
  }
  return true;
}

void SshConnection::KeepAlive() {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (session_->received() != last_received_) {
    last_received_ = session_->received();
    last_sign_ = now;
  }
  if (now - last_sign_ > kDead) return Lose("no sign of life for 45 s");
  if (now < next_keep_alive_) return;
  session_->SendKeepAlive();
  next_keep_alive_ = now + kKeepAlive;
}

void SshConnection::Lose(const std::string& reason) {
  for (Talk& talk : talks_) {
    if (talk.exchange->end() == SshExchange::End::kNone) talk.exchange->SetEnd(SshExchange::End::kLost);
  }
  talks_.clear();  // libssh frees the channels with their session
  closes_heard_of_ = closes_;
  EndSession();
  {
    const std::lock_guard lock(mutex_);
    connected_ = false;
    down_since_ = std::chrono::steady_clock::now();
    problem_text_ = reason;
  }
  if (observer_) observer_({ConnectionChange::Kind::kLost, reason});
}

void SshConnection::FailAll(SshExchange::End end, std::exception_ptr failure) {
  std::deque<std::shared_ptr<SshExchange>> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (const Talk& talk : talks_) waiting.push_back(talk.exchange);
  for (const auto& exchange : waiting) {
    if (exchange->end() == SshExchange::End::kNone) exchange->SetEnd(end, -1, failure);
  }
}

void SshConnection::Close(Talk* talk) {
  if (talk->channel == nullptr) return;
  if (talk->step != Talk::Step::kOpening) {
    ++closes_;
    last_close_ = std::chrono::steady_clock::now();
  }
  ssh_channel_free(std::exchange(talk->channel, nullptr));
}

}  // namespace cosmos
