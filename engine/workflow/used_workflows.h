#pragma once

#include <functional>
#include <map>
#include <string>

#include "workflow/findings.h"
#include "workflow/plugin_facts.h"

namespace cosmos {

// Whether what a stage uses is the file of another workflow (`./shot.yaml`) and not a plugin.
bool IsWorkflowFile(const std::string& uses);

// The workflows that stages use in place of a plugin, each read once, and what is wrong in them. Not thread-safe.
class UsedWorkflows {
 public:
  using Read = std::function<std::string(const std::string& path)>;

  // `read` throws Error for a file that cannot be read. Empty: files of this machine.
  explicit UsedWorkflows(Read read);

  struct Used {
    std::string text;
    PluginFacts facts;  // what a stage sees of it: its params are the parameters
    bool is_readable;   // false: it is no YAML, which is among the findings
  };
  // The workflow in the file `path`, which is absolute. Valid as long as this. Throws what `read` throws.
  const Used& Get(const std::string& path);

  // The texts of all, by their paths.
  std::map<std::string, std::string> Texts() const;

  // Takes findings, each only once: several stages may use the same workflow.
  void Add(const Findings& findings);
  const Findings& findings() const { return findings_; }

 private:
  const Read read_;
  std::map<std::string, Used> used_;
  Findings findings_;
};

}  // namespace cosmos
