#include "run/status/host_watch.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "run/targets/target_set.h"

namespace cosmos {
namespace {

using std::chrono::seconds;

constexpr auto kTimeToLook = seconds(60);
constexpr auto kPatience = seconds(10);  // for another process that asks the host
constexpr const char* kNames[] = {"GPUs", "containers", "processes"};

// A kept answer is the time at which it was asked for, on a line, and what the host said.
std::optional<std::int64_t> BeginOf(const std::string& text) {
  std::int64_t begin = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), begin);
  return read.ec == std::errc() && begin > 0 ? std::optional(begin) : std::nullopt;
}

std::string WordsOf(const std::string& text) { return text.substr(std::min(text.find('\n'), text.size())); }

}  // namespace

HostWatch::HostWatch(GarbagePlace place, const std::filesystem::path& cache_folder)
    : place_(std::move(place)),
      engines_(place_.engines.begin(), place_.engines.end()),
      key_(CacheKeyOf(place_.config)),
      gpus_(cache_folder),
      cache_(cache_folder) {
  for (int question = 0; question < kQuestions; ++question) {
    parts_[static_cast<std::size_t>(question)].thread =
        std::thread([this, question] { Work(static_cast<Question>(question)); });
  }
}

HostWatch::~HostWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (Part& part : parts_) part.thread.join();
}

void HostWatch::Ask() {
  {
    const std::lock_guard lock(mutex_);
    for (Part& part : parts_) part.wanted = true;
  }
  changed_.notify_all();
}

bool HostWatch::Await(SteadyTime until) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, until, [this] {
    return std::none_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.wanted; });
  });
}

void HostWatch::Work(Question question) {
  Part& part = parts_[question];
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || part.wanted; });
    if (stopping_) return;
    lock.unlock();
    Part answer;
    Answer(question, &answer);
    lock.lock();
    part.gpus = std::move(answer.gpus);
    part.text = std::move(answer.text);
    part.answered = true;
    part.wanted = false;
    changed_.notify_all();
  }
}

std::string HostWatch::KeyOf(Question question) const {
  std::string key = std::string(kNames[question]) + " " + key_;
  if (question == kContainers) {
    for (const ContainerEngine& engine : engines_) key += " " + engine.Name();
  }
  return key;
}

std::string HostWatch::ScriptOf(Question question) const {
  return question == kContainers ? ContainersScript(engines_) : RunProcessesScript();
}

std::string HostWatch::AskNow(Question question) {
  const std::int64_t begin = UnixMilliseconds(std::chrono::system_clock::now());
  const TargetOutput output = Contact()->get()->Run(ScriptOf(question), kTimeToLook);
  if (!ParseLeftovers(output.output, engines_.size()).whole) {
    throw Error(ErrorCode::kUnavailable, std::string("it does not list its ") + kNames[question] + ": " +
                                             TruncateUtf8(output.timed_out ? "it took too long" : output.errors, 200));
  }
  return std::to_string(begin) + "\n" + output.output;
}

void HostWatch::Answer(Question question, Part* into) {
  if (question == kGpus) {
    std::shared_ptr<TargetContact> contact;  // lives while its target is asked
    into->gpus = gpus_.Read(
        key_, [&] { return (contact = Contact())->get(); }, kGpuReadingAge, kPatience);
  } else {
    into->text = cache_.Get(KeyOf(question), kGpuReadingAge, kPatience, [&] { return AskNow(question); });
  }
}

std::shared_ptr<TargetContact> HostWatch::Contact() {
  const std::lock_guard lock(contact_mutex_);
  if (contact_ == nullptr) {
    contact_ = std::make_shared<TargetContact>(place_.config, TargetContact::Passphrases::kUnasked);
  }
  try {
    contact_->Reach();
  } catch (const Error&) {
    contact_.reset();  // a contact that broke stays so
    throw;
  }
  return contact_;
}

HostState HostWatch::state() {
  GpuState gpus;
  SharedCache::Entry texts[kQuestions];
  bool answered[kQuestions];
  {
    const std::lock_guard lock(mutex_);
    for (int i = 0; i < kQuestions; ++i) {
      const Part& part = parts_[static_cast<std::size_t>(i)];
      answered[i] = part.answered;
      texts[i] = part.text;
      if (i == kGpus) gpus = part.gpus;
    }
  }
  HostState state;
  state.gpus = answered[kGpus] ? std::move(gpus) : gpus_.Peek(key_);
  const auto add_problem = [&](const std::string& problem) {
    if (problem.empty() || state.problem.find(problem) != state.problem.npos) return;
    state.problem += (state.problem.empty() ? "" : "; ") + problem;
  };
  const auto judge = [&](int question, const std::optional<Duration>& age, const std::string& failure) {
    state.asked = state.asked || answered[question];
    if (answered[question] && age && failure.empty()) state.reachable = true;
    add_problem(failure);
  };
  judge(kGpus, state.gpus.age, state.gpus.failure);
  bool complete = true;
  for (const int i : {kContainers, kProcesses}) {
    if (!answered[i]) texts[i] = cache_.Peek(KeyOf(static_cast<Question>(i)));
    judge(i, texts[i].age, texts[i].failure);
    if (texts[i].age && (!state.found_age || *texts[i].age > *state.found_age)) state.found_age = texts[i].age;
    const Leftovers part = ParseLeftovers(WordsOf(texts[i].text), engines_.size());
    for (const std::string& problem : part.problems) add_problem(problem);
    const std::optional<std::int64_t> begin = BeginOf(texts[i].text);
    complete = complete && texts[i].failure.empty() && part.whole && part.problems.empty() && begin.has_value();
    if (complete) state.complete_at = std::min(state.complete_at.value_or(*begin), *begin);
    if (i == kContainers) state.found.containers = part.containers;
    if (i == kProcesses) state.found.processes = part.processes;
  }
  if (!complete) state.complete_at.reset();
  for (int i = 0; i < kQuestions && state.reachable; ++i) {
    if (!answered[i]) add_problem(std::string("no answer about its ") + kNames[i] + " yet");
  }
  return state;
}

}  // namespace cosmos
