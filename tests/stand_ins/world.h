#pragma once

#include <string>

namespace cosmos::stand_ins {

// What the models would find around them. Tests set it by variables of the environment:
//   STAND_IN_LOAD_SECONDS   how long loading a model takes (0)
//   STAND_IN_LOADS          a file that gets a line for each model that is loaded
//   STAND_IN_GPU_GB         memory of one GPU (80)
//   STAND_IN_STEP_SECONDS   how long one step of a progress bar takes (0)
//   STAND_IN_CLIP           the video that is "generated" (stand_in/clip.mp4 of the repository)
// A prompt that holds "forbidden" is blocked by the guardrail, one that holds "hang" makes the model wait for ever.

std::string Variable(const char* name, const std::string& fallback);

// A line of the models' logger on stdout: [MM-DD HH:mm:ss|LEVEL|path:line:func] message.
void Log(const std::string& level, const std::string& message);
// The last line of a Python traceback on stderr, and the end: status 1.
[[noreturn]] void Raise(const std::string& error);
// The progress bar of tqdm on stderr, with its '\r', and its pause.
void Bar(const std::string& label, int done, int total);

// Loads a model from a checkpoint, which must be there, on GPUs that must have so many GB between them.
void LoadModel(const std::string& checkpoint);
void NeedMemory(double gigabytes, int gpus);
bool Forbidden(const std::string& prompt);
void HangIfAsked(const std::string& prompt);

void WriteText(const std::string& path, const std::string& text);
void WriteClip(const std::string& path);
bool Exists(const std::string& path);

}  // namespace cosmos::stand_ins
