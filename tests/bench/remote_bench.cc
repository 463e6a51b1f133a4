// What a host reached by SSH costs, beside ssh and scp doing the same in the same minute. A program for tools/bench.
//
// Everything runs against a real sshd on this machine, through a proxy that plays the way to it: at once, or with 50 ms
// of delay each way.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "cli/program.h"
#include "core/fd.h"
#include "support/processes.h"
#include "support/remote_host.h"
#include "target/ssh/ssh_target.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr int kRounds = 5;

double Now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double SecondsOf(const std::function<void()>& work) {
  const double begin = Now();
  work();
  return Now() - begin;
}

void Line(const std::string& name, const std::string& figure, const std::string& beside = "") {
  fmt::print("{:<52} {:>16}   {}\n", name, figure, beside);
  std::fflush(stdout);
}

// Two things in turn, and the median of each.
void Compare(const std::string& name, double megabytes, const std::function<void()>& ours, const std::string& what,
             const std::function<void()>& theirs) {
  std::vector<double> a, b, ratios;
  for (int round = 0; round < kRounds; ++round) {
    a.push_back(SecondsOf(ours));
    b.push_back(SecondsOf(theirs));
    ratios.push_back(b.back() / a.back());
  }
  Line(name, fmt::format("{:.0f} MB/s", megabytes / Median(a)),
       fmt::format("{} {:.0f} MB/s, {:.2f} of it", what, megabytes / Median(b), Median(ratios)));
}

class Bench {
 public:
  void Run() {
    Latency("follow");
    Latency("poll");
    Throughput("", 300);
    host_.proxy().SetDelay(50ms);
    Throughput(", 50 ms of delay", 60);
    host_.proxy().SetDelay(0ms);
    Idle();
    ManyRuns();
  }

 private:
  std::string Ssh(const std::string& command) {
    std::string words = "ssh -q -p " + std::to_string(host_.proxy().port());
    return words + Options() + " " + Login() + " '" + command + "'";
  }
  std::string Options() {
    return " -i " + host_.server().identity().string() +
           " -o UserKnownHostsFile=" + host_.server().known_hosts().string();
  }
  std::string Login() { return host_.account().name() + "@127.0.0.1"; }
  static void Shell(const std::string& command) { MustRun({"sh", "-c", command}); }

  SshOptions Host() {
    SshOptions options;
    options.host = "127.0.0.1";
    options.port = host_.proxy().port();
    options.user = host_.account().name();
    options.identity = host_.server().identity();
    options.known_hosts = host_.server().known_hosts();
    return options;
  }

  // From the moment a line is written on the host until it stands in the local log.
  void Latency(const std::string& mode) {
    const std::string run_id = "rs_" + mode;
    sandbox_.Write("w.yaml",
                   host_.Workflow("hooks: {log-streamer: {mode: " + mode + "}}\nstages: {" + mode +
                                  ": {uses: shell, target: gpu1, with: {run: 'sleep 3; i=0; while [ $i -lt 300 ]; do "
                                  "date +%s.%N; sleep 0.03; i=$((i + 1)); done'}}}\n"));
    const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", run_id});
    const fs::path log = sandbox_.outputs() / mode / "logs" / ("run_" + run_id + ".log");
    Await("log", [&] { return fs::exists(log); });
    const Fd file(::open(log.c_str(), O_RDONLY));
    std::vector<double> late;
    std::string held;
    while (late.size() < 300) {
      char buffer[4096];
      const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
      const double now = Now();
      if (n <= 0) {
        std::this_thread::sleep_for(500us);
        continue;
      }
      held.append(buffer, static_cast<std::size_t>(n));
      for (std::size_t end; (end = held.find('\n')) != held.npos; held.erase(0, end + 1)) {
        late.push_back(now - std::stod(held.substr(0, end)));
      }
    }
    sandbox_.Wait(engine);
    std::sort(late.begin(), late.end());
    Line("a log line, " + mode + (mode == "poll" ? " (every 2 s)" : ""), fmt::format("{:.1f} ms", Median(late) * 1000),
         fmt::format("99th percentile {:.1f} ms", late[late.size() * 99 / 100] * 1000));
  }

  void Throughput(const std::string& how, int megabytes) {
    const fs::path big = sandbox_.folder() / "big";
    Shell("head -c " + std::to_string(megabytes) + "000000 /dev/urandom >" + big.string());
    const fs::path folder = host_.workdir() / "stream", there = host_.workdir() / "there";
    const CancelToken cancel;
    SshTarget target(Host(), host_.workdir(), &cancel, {});
    target.Workdir();
    Shell("rm -rf " + folder.string() + "; mkdir -p " + folder.string() + "; cp " + big.string() + " " +
          folder.string() + "/run.log; chmod -R a+rwX " + host_.workdir().string());
    Compare(
        "a log streamed" + how, megabytes,
        [&] {
          std::int64_t come = 0;
          CancelToken stop;
          target.FollowLog({folder, 0, 0, "", ""}, 0, stop, [&](std::string_view bytes) {
            come += static_cast<std::int64_t>(bytes.size());
            if (come == megabytes * 1'000'000LL) stop.Cancel();
          });
        },
        "ssh cat", [&] { Shell(Ssh("cat " + (folder / "run.log").string()) + " >/dev/null"); });
    const std::string scp = "scp -q -P " + std::to_string(host_.proxy().port()) + Options() + " ";
    Compare(
        "a file to the host" + how, megabytes,
        [&] {
          fs::remove(there);
          target.Upload({{big, there}}, "bench", cancel, {});
        },
        "scp",
        [&] {
          fs::remove(there);
          Shell(scp + big.string() + " " + Login() + ":" + there.string());
        });
    const fs::path back = sandbox_.folder() / "back";
    Compare(
        "a file from the host" + how, megabytes,
        [&] {
          fs::remove(back);
          target.Download({{back, there}}, cancel, {});
        },
        "scp",
        [&] {
          fs::remove(back);
          Shell(scp + Login() + ":" + there.string() + " " + back.string());
        });
  }

  // A job that prints nothing, followed and waited for.
  void Idle() {
    sandbox_.Write("w.yaml",
                   host_.Workflow("hooks: {log-streamer: {}}\nstages: {idle: {uses: shell, target: gpu1, with: {run: "
                                  "'echo begun; sleep 1000'}}}\n"));
    const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_idle"});
    Await("job", [&] { return sandbox_.Read("outputs/idle/logs/run_rs_idle.log") == "begun\n"; });
    std::this_thread::sleep_for(5s);
    const std::uint64_t before = host_.proxy().BytesForwarded();
    std::this_thread::sleep_for(60s);
    Line("an idle stream",
         fmt::format("{:.1f} KB/min", static_cast<double>(host_.proxy().BytesForwarded() - before) / 1000));
    ::kill(engine, SIGINT);
    sandbox_.Wait(engine);
  }

  struct Held {
    std::size_t descriptors = 0;
    long threads = 0;
    double megabytes = 0;
  };
  static Held HeldNow() {
    Held held;
    for ([[maybe_unused]] const auto& fd : fs::directory_iterator("/proc/self/fd")) ++held.descriptors;
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("Threads:", 0) == 0) held.threads = std::stol(line.substr(8));
      if (line.rfind("VmRSS:", 0) == 0) held.megabytes = std::stod(line.substr(6)) / 1000;
    }
    return held;
  }

  void ManyRuns() {
    sandbox_.Write("w.yaml",
                   host_.Workflow("hooks: {log-streamer: {}}\nstages: {many: {uses: shell, target: gpu1, with: {run: "
                                  "'seq 1000'}}}\n"));
    fs::current_path(sandbox_.folder());
    ::setenv("COSMOS_HOME", (sandbox_.folder() / "home").c_str(), 1);
    Held ten;
    for (int i = 1; i <= 100; ++i) {
      if (Program({"run", "w.yaml", "--quiet"}) != 0) throw std::runtime_error("a run failed");
      if (i == 10) ten = HeldNow();
    }
    const Held all = HeldNow();
    Line("100 runs in one process: memory", fmt::format("{:.1f} MB", all.megabytes),
         fmt::format("{:.1f} MB after 10", ten.megabytes));
    Line("100 runs in one process: threads", std::to_string(all.threads), std::to_string(ten.threads) + " after 10");
    Line("100 runs in one process: descriptors", std::to_string(all.descriptors),
         std::to_string(ten.descriptors) + " after 10");
  }

  Sandbox sandbox_;
  RemoteHost host_;
};

}  // namespace
}  // namespace cosmos::testing

int main() {
  try {
    cosmos::testing::Bench().Run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "remote_bench: %s\n", error.what());
    return 1;
  }
}
