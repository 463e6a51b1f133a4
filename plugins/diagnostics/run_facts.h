#pragma once

#include <cosmos/text.hpp>
#include <string>
#include <vector>

namespace cosmos::plugins {

// One attempt of a stage, as far as a diagnosis needs it. Empty texts are not known.
struct StageFacts {
  std::string key;  // STAGE or STAGE.INSTANCE
  int attempt = 1;
  std::string uses;
  std::string status;
  std::string kind;  // of its failure
  std::string message;
  std::string target;
  std::string log_path;
  std::string prompt_id;
  std::string job_folder;
  std::string started_at;
  std::string ended_at;
  std::string phase;  // the latest that it reported
};

// What cosmos.store/1 tells of a run, read once.
struct RunFacts {
  explicit RunFacts(sdk::Json facts);

  sdk::Json json;
  std::string run_id;
  std::string status;
  std::string kind;
  std::string message;
  std::string log_path;
  std::string output_dir;
  std::string engine_log;
  std::string started_at;
  std::string ended_at;
  std::vector<StageFacts> stages;  // the latest attempt of each instance, handlers too
  std::vector<StageFacts> failed;  // all of them; the one whose words the run has first
  bool interrupted = false;        // it has not ended, and no engine carries it out
  // Those that the diagnosis is about: that failed; of a run without any, those at work; a few of them at most.
  std::vector<StageFacts> suspects;
  std::vector<std::string> targets;  // those of the suspects first; a few at most
  bool secrets_unknown = false;      // what they are cannot be read, so values of variables are not shown
};

// The text `key` of an object, empty when there is none.
std::string TextIn(const sdk::Json& object, const char* key);

}  // namespace cosmos::plugins
