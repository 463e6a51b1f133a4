// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_JOB_SPEC_HPP_
#define COSMOS_JOB_SPEC_HPP_

#include <cosmos/text.hpp>

#include <map>
#include <string>
#include <vector>

namespace cosmos::sdk {

// A file that a job makes. Unless optional, it must be there when the job ends; a video must also decode.
struct JobOutput {
  std::string path;           // relative to the job's output folder, or absolute on the target
  std::string kind = "file";  // "file" or "video"
  bool optional = false;
};

// What a durable job runs: an argument vector, or a script for /bin/sh; exactly one of them. A value.
struct JobSpec {
  std::vector<std::string> argv;
  std::string script;
  std::map<std::string, std::string> env;
  std::map<std::string, JobOutput> outputs;  // by name

  Json ToJson() const {
    Json json = Json::object();
    if (argv.empty()) {
      json["script"] = script;
    } else {
      json["argv"] = argv;
    }
    json["env"] = env;
    Json& files = json["outputs"] = Json::object();
    for (const auto& [name, output] : outputs) {
      files[name] = {{"path", output.path}, {"kind", output.kind}, {"optional", output.optional}};
    }
    return json;
  }
};

}  // namespace cosmos::sdk

#endif  // COSMOS_JOB_SPEC_HPP_
