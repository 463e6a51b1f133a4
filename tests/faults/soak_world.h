#pragma once

#include <filesystem>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "faults_fixture.h"

namespace cosmos::testing {

// One run while a fault is injected into it.
struct SoakRun {
  std::string id;
  bool in_container = false;
  pid_t engine = -1;
  int status = -1;           // of the last engine
  int descriptors = 0;       // that the engine held when its job began
  int most_descriptors = 0;  // that it, or one that came after it, held later
};

// What the fault does to the job's own log.
enum class SoakLog {
  kKept,
  kLacksLines,  // the job could not write all
  kReplaced     // somebody truncated or deleted it, so that the local one holds what stood there before, too
};

// What a run came to, beside what it should have.
struct SoakResult {
  int lost = 0;     // outputs, log bytes, records or ends that are missing
  int doubled = 0;  // starts of the job and ends in the journal beyond one
  int left = 0;     // processes, containers, leases, descriptors and temporary files
  std::string what;
};

// The machines of a soak: a host with a dockerd that keeps containers over its restarts, and a sandbox for the engines.
// All runs of a soak share them. For one thread.
class SoakWorld {
 public:
  SoakWorld();

  // Starts a run whose job prints for about two seconds and makes one output.
  SoakRun Begin(const std::string& id, bool in_container);
  // Lets engines come until the run has ended, and waits for each.
  void Finish(SoakRun* run);
  // Looks at everything that the run may have left or lost. `ends`: how it may have ended.
  SoakResult Check(const SoakRun& run, const std::set<std::string>& ends, SoakLog log);
  // Makes room for the next run.
  void Clear(const SoakRun& run);

  Sandbox& sandbox() { return sandbox_; }
  RemoteHost& host() { return *host_; }
  DockerDaemon& docker() { return *docker_; }
  std::filesystem::path job(const SoakRun& run) const { return host_->job(run.id, "a"); }
  std::filesystem::path database() const { return sandbox_.folder() / "store/soak.db"; }
  SmallDisk& host_disk() { return *host_disk_; }    // of the workdir
  SmallDisk& store_disk() { return *store_disk_; }  // of the database
  std::string Container(const SoakRun& run) const { return "cosmos_" + run.id + "_a_1"; }

 private:
  int Starts(const SoakRun& run) const;
  void CheckGoodEnd(const SoakRun& run, SoakLog log, SoakResult* result) const;
  void CheckJournal(const SoakRun& run, SoakResult* result) const;
  void CheckLeftovers(const SoakRun& run, SoakResult* result) const;

  Sandbox sandbox_;
  std::unique_ptr<DockerDaemon> docker_;
  std::unique_ptr<RemoteHost> host_;
  std::unique_ptr<SmallDisk> host_disk_, store_disk_;
};

// What can break. `inject` breaks it in a run that has begun its job, and puts it right again.
struct SoakFault {
  const char* name;
  bool in_container;
  std::set<std::string> ends;
  void (*inject)(SoakWorld* world, SoakRun* run, std::mt19937* random);
  SoakLog log = SoakLog::kKept;
};
const std::vector<SoakFault>& SoakFaults();

}  // namespace cosmos::testing
