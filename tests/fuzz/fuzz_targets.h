#pragma once

#include <string>
#include <string_view>

namespace cosmos::testing {

// Something that reads what others wrote: any input makes a value or a message. To add one, declare its function here,
// add it to the table and to CMakeLists.txt, and put seeds into corpus/NAME/.
struct FuzzTarget {
  std::string_view name;
  void (*read)(std::string_view input);
};

void FuzzWorkflow(std::string_view input);           // a workflow: its YAML, its check, its plan
void FuzzExpression(std::string_view input);         // what stands in `${{ }}`
void FuzzParams(std::string_view input);             // the file of --params, and the value of -p
void FuzzInspection(std::string_view input);         // what `docker inspect` prints
void FuzzChatAnswer(std::string_view input);         // what an OpenAI-compatible server answers
void FuzzNvidiaSmi(std::string_view input);          // what the GPU script prints
void FuzzHostReplies(std::string_view input);        // what a host prints in reply to the engine's scripts
void FuzzLeftovers(std::string_view input);          // what the scripts of `gc` and `status` print
void FuzzJournal(std::string_view input);            // events.jsonl of a run
void FuzzRunInputs(std::string_view input);          // its run.json
void FuzzPluginDescription(std::string_view input);  // what a plugin says of itself
void FuzzExr(std::string_view input);                // an EXR picture

inline constexpr FuzzTarget kFuzzTargets[] = {
    {"workflow", FuzzWorkflow},
    {"expression", FuzzExpression},
    {"params", FuzzParams},
    {"inspection", FuzzInspection},
    {"chat_answer", FuzzChatAnswer},
    {"nvidia_smi", FuzzNvidiaSmi},
    {"host_replies", FuzzHostReplies},
    {"leftovers", FuzzLeftovers},
    {"journal", FuzzJournal},
    {"run_inputs", FuzzRunInputs},
    {"plugin_description", FuzzPluginDescription},
    {"exr", FuzzExr},
};

}  // namespace cosmos::testing
