#include "stand_ins/world.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

namespace cosmos::stand_ins {
namespace {

void Pause(const char* variable) {
  const double seconds = std::atof(Variable(variable, "0").c_str());
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

}  // namespace

std::string Variable(const char* name, const std::string& fallback) {
  const char* value = std::getenv(name);
  return value == nullptr ? fallback : value;
}

void Log(const std::string& level, const std::string& message) {
  char time[32];
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::strftime(time, sizeof time, "%m-%d %H:%M:%S", &parts);
  std::printf("[%s|%s|inference/pipeline.py:42:generate] %s\n", time, level.c_str(), message.c_str());
  std::fflush(stdout);
}

void Raise(const std::string& error) {
  std::fprintf(stderr, "Traceback (most recent call last):\n  File \"inference.py\", line 1, in <module>\n%s\n",
               error.c_str());
  std::exit(1);
}

void Bar(const std::string& label, int done, int total) {
  Pause("STAND_IN_STEP_SECONDS");
  std::fprintf(stderr, "\r%s%s%3d%%|%-10s| %d/%d [00:%02d<00:%02d,  1.00s/it]", label.c_str(),
               label.empty() ? "" : ": ", 100 * done / total,
               std::string(static_cast<std::size_t>(10 * done / total), '#').c_str(), done, total, done, total - done);
  if (done == total) std::fputc('\n', stderr);
}

void LoadModel(const std::string& checkpoint) {
  if (!Exists(checkpoint)) Raise("FileNotFoundError: [Errno 2] No such file or directory: '" + checkpoint + "'");
  const std::string loads = Variable("STAND_IN_LOADS", "");
  if (!loads.empty()) std::ofstream(loads, std::ios::app) << checkpoint << "\n";
  Pause("STAND_IN_LOAD_SECONDS");
}

void NeedMemory(double gigabytes, int gpus) {
  if (gigabytes <= gpus * std::atof(Variable("STAND_IN_GPU_GB", "80").c_str())) return;
  Raise("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of " +
        Variable("STAND_IN_GPU_GB", "80") + " GiB of which 1.20 GiB is free.");
}

bool Forbidden(const std::string& prompt) { return prompt.find("forbidden") != prompt.npos; }

void HangIfAsked(const std::string& prompt) {
  while (prompt.find("hang") != prompt.npos) ::pause();
}

void WriteText(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

void WriteClip(const std::string& path) {
  std::filesystem::copy_file(Variable("STAND_IN_CLIP", "stand_in/clip.mp4"), path,
                             std::filesystem::copy_options::overwrite_existing);
}

bool Exists(const std::string& path) { return std::filesystem::exists(path); }

}  // namespace cosmos::stand_ins
