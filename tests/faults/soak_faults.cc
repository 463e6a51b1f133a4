#include <fstream>
#include <thread>

#include "soak_world.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// A moment in the two seconds that the job runs.
void Pause(std::mt19937* random, int longest = 2000) {
  std::this_thread::sleep_for(milliseconds((*random)() % static_cast<unsigned>(longest)));
}

void KillEngine(SoakWorld*, SoakRun* run, std::mt19937* random) {
  Pause(random);
  ::kill(run->engine, SIGKILL);
}

void TermEngine(SoakWorld*, SoakRun* run, std::mt19937* random) {
  Pause(random, 1500);
  ::kill(run->engine, SIGTERM);
}

void StopEngine(SoakWorld*, SoakRun* run, std::mt19937* random) {
  Pause(random);
  ::kill(run->engine, SIGSTOP);
  Pause(random, 3000);
  ::kill(run->engine, SIGCONT);
}

void CutLink(SoakWorld* world, SoakRun*, std::mt19937* random) {
  Pause(random);
  world->host().proxy().CutAll();
}

void ResetLink(SoakWorld* world, SoakRun*, std::mt19937* random) {
  Pause(random);
  world->host().proxy().SetRefuse(true);
  world->host().proxy().ResetAll();
  Pause(random, 3000);
  world->host().proxy().SetRefuse(false);
}

void HalfOpenLink(SoakWorld* world, SoakRun* run, std::mt19937* random) {
  Pause(random);
  world->host().proxy().SetBlackHole(true);
  std::this_thread::sleep_for(milliseconds(3000));
  ::kill(run->engine, SIGKILL);
  world->host().proxy().SetBlackHole(false);
  world->host().proxy().ResetAll();
}

void ThrottleLink(SoakWorld* world, SoakRun*, std::mt19937* random) {
  world->host().proxy().SetThrottle(20'000);
  Pause(random, 3000);
  world->host().proxy().SetThrottle(0);
}

void RestartSshd(SoakWorld* world, SoakRun*, std::mt19937* random) {
  Pause(random);
  world->host().server().Stop();
  Pause(random, 1000);
  world->host().server().Start();
}

void RestartDockerd(SoakWorld* world, SoakRun*, std::mt19937* random) {
  Pause(random, 1500);
  world->docker().Kill();
  Pause(random, 3000);
  world->docker().StartAgain();
}

void KillClient(SoakWorld* world, SoakRun*, std::mt19937* random) {
  Pause(random, 1500);
  RunProgram({"pkill", "-KILL", "-u", world->host().account().name(), "-f", "docker run"});
}

void KillContainer(SoakWorld* world, SoakRun* run, std::mt19937* random) {
  Pause(random, 1000);
  world->docker().Docker({"kill", world->Container(*run)});
}

void RemoveContainer(SoakWorld* world, SoakRun* run, std::mt19937* random) {
  Pause(random, 1000);
  world->docker().Docker({"rm", "-f", world->Container(*run)});
}

// A disk that is full for a while holds the folders of the run's logs and outputs.
void FillDiskHere(SoakWorld* world, SoakRun* run, std::mt19937* random) {
  Pause(random, 1000);
  ::kill(run->engine, SIGKILL);
  world->sandbox().Wait(run->engine);
  const fs::path folder = world->sandbox().outputs() / "a";
  RunProgram({"cp", "-a", folder.string(), (world->sandbox().folder() / "kept").string()});
  {
    const SmallDisk disk(folder, "64k");
    RunProgram({"cp", "-a", (world->sandbox().folder() / "kept/.").string(), folder.string()});
    std::ofstream(folder / "filler") << std::string(1 << 20, 'x');
    const Ended full = world->sandbox().Engine({"resume", run->id, "--db", world->database().string()});
    EXPECT_EQ(full.status, 3) << full.out << full.err;
    fs::remove(folder / "filler");
    fs::remove_all(world->sandbox().folder() / "kept");
    RunProgram({"cp", "-a", folder.string(), (world->sandbox().folder() / "kept").string()});
  }
  RunProgram({"cp", "-a", (world->sandbox().folder() / "kept/.").string(), folder.string()});
  fs::remove_all(world->sandbox().folder() / "kept");
  run->engine = -1;
}

// The job may fail for it, or lose lines that nobody can write.
void FillDiskThere(SoakWorld* world, SoakRun*, std::mt19937* random) {
  Pause(random, 1500);
  world->host_disk().Fill();
  Pause(random, 2000);
  world->host_disk().Free();
}

void FillDiskOfStore(SoakWorld* world, SoakRun*, std::mt19937* random) {
  Pause(random, 1500);
  world->store_disk().Fill();
  Pause(random, 3000);
  world->store_disk().Free();
}

void RemoveJobFolder(SoakWorld* world, SoakRun* run, std::mt19937* random) {
  Pause(random, 1000);
  fs::remove_all(world->job(*run));
}

// What is truncated before anybody has read it is gone, so the engine gets the first lines first.
void TruncateLog(SoakWorld* world, SoakRun* run, std::mt19937* random) {
  const std::string log = "outputs/a/logs/run_" + run->id + ".log";
  Await("the first line", [&] { return world->sandbox().Read(log).find("line 0\n") != std::string::npos; });
  Pause(random, 1000);
  RunProgram({"truncate", "-s", "0", (world->job(*run) / "run.log").string()});
}

void DeleteLog(SoakWorld* world, SoakRun* run, std::mt19937* random) {
  Pause(random, 1000);
  fs::remove(world->job(*run) / "run.log");
}

void SecondEngine(SoakWorld* world, SoakRun* run, std::mt19937* random) {
  Pause(random);
  for (const char* command : {"resume", "retry"}) {
    EXPECT_NE(world->sandbox().Engine({command, run->id, "--db", world->database().string()}).status, 0);
  }
}

void TwoResumes(SoakWorld* world, SoakRun* run, std::mt19937* random) {
  Pause(random, 1000);
  ::kill(run->engine, SIGKILL);
  world->sandbox().Wait(run->engine);
  const std::vector<std::string> words = {"resume", run->id, "--db", world->database().string()};
  run->engine = world->sandbox().StartEngine(words);
  const pid_t other = world->sandbox().StartEngine(words);
  world->sandbox().Wait(other);
}

void LockDatabase(SoakWorld* world, SoakRun*, std::mt19937* random) {
  Pause(random, 1000);
  RunProgram(
      {"sh", "-c", "{ echo 'BEGIN EXCLUSIVE;'; sleep 3; echo 'COMMIT;'; } | sqlite3 " + world->database().string()});
}

void RemoveDatabase(SoakWorld* world, SoakRun* run, std::mt19937* random) {
  Pause(random, 1000);
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(world->database().string() + suffix);
  EXPECT_EQ(world->sandbox().Wait(run->engine), 3);
  run->engine = -1;
  const Ended rebuilt = world->sandbox().Engine({"db", "rebuild", "--db", world->database().string()});
  EXPECT_EQ(rebuilt.status, 0) << rebuilt.out << rebuilt.err;
}

// The clock of the engine's machine is an hour ahead or behind when another engine takes the run up.
void StepClock(SoakWorld* world, SoakRun* run, std::mt19937* random) {
  Pause(random, 1000);
  ::kill(run->engine, SIGKILL);
  world->sandbox().Wait(run->engine);
  const std::string shift = (*random)() % 2 == 0 ? "+1h" : "-1h";
  const Ended ended = world->sandbox().Run({"env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "faketime", "-f", shift,
                                            Sandbox::program(), "resume", run->id, "--db", world->database().string()});
  run->engine = -1;
  run->status = ended.status;
}

}  // namespace

const std::vector<SoakFault>& SoakFaults() {
  static const std::set<std::string> kGood = {"succeeded"};
  static const std::vector<SoakFault> faults = {
      {"engine killed", false, kGood, KillEngine},
      {"engine killed, container", true, kGood, KillEngine},
      {"engine told to end", false, {"cancelled", "succeeded"}, TermEngine},
      {"engine told to end, container", true, {"cancelled", "succeeded"}, TermEngine},
      {"engine stopped", false, kGood, StopEngine},
      {"link cut", false, kGood, CutLink},
      {"link reset and refused", true, kGood, ResetLink},
      {"link half open, engine killed", false, kGood, HalfOpenLink},
      {"link throttled", false, kGood, ThrottleLink},
      {"sshd restarted", false, kGood, RestartSshd},
      {"dockerd killed and restarted", true, kGood, RestartDockerd},
      {"container client killed", true, kGood, KillClient},
      {"container killed", true, {"failed"}, KillContainer},
      {"container removed", true, {"failed"}, RemoveContainer},
      {"disk full here", false, kGood, FillDiskHere},
      {"disk full there", false, {"succeeded", "failed"}, FillDiskThere, SoakLog::kLacksLines},
      {"disk full for the store", false, kGood, FillDiskOfStore},
      {"database locked", false, kGood, LockDatabase},
      {"database removed", false, kGood, RemoveDatabase},
      {"clock an hour off", false, kGood, StepClock},
      {"job folder removed", false, {"failed"}, RemoveJobFolder},
      {"log truncated", false, kGood, TruncateLog, SoakLog::kReplaced},
      {"log deleted", false, kGood, DeleteLog, SoakLog::kReplaced},
      {"two engines", false, kGood, SecondEngine},
      {"two resumes", false, kGood, TwoResumes},
  };
  return faults;
}

}  // namespace cosmos::testing
