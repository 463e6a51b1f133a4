// Stands in for `torchrun` and `python`, by the name it is called by, and for the scripts they start.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "stand_ins/arguments.h"
#include "stand_ins/scripts.h"
#include "stand_ins/world.h"

namespace cosmos::stand_ins {
namespace {

int RunScript(const std::string& script, const std::vector<std::string>& words, int gpus) {
  if (!Exists(script)) {
    std::fprintf(stderr, "python: can't open file '%s': [Errno 2] No such file or directory\n", script.c_str());
    return 2;
  }
  if (Variable("PYTHONPATH", "") != std::filesystem::current_path()) {
    Raise("ModuleNotFoundError: No module named 'cosmos_transfer1'");
  }
  if (script == "cosmos_transfer1/diffusion/inference/transfer.py") return Transfer1(words, gpus);
  if (script == "examples/inference.py") return Cosmos25(words, gpus, Exists("cosmos_predict2"));
  Raise("SyntaxError: there is no stand-in for " + script);
}

int Main(int argc, char** argv) {
  const std::string called = std::filesystem::path(argv[0]).filename();
  std::vector<std::string> words(argv + 1, argv + argc);
  std::size_t first = 0;
  while (first < words.size() && words[first].rfind("--", 0) == 0) ++first;
  if (first == words.size()) return 2;
  const std::vector<std::string> own(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(first));
  const std::vector<std::string> rest(words.begin() + static_cast<std::ptrdiff_t>(first) + 1, words.end());
  if (called == "python") return RunScript(words[first], rest, 1);
  const Arguments launcher("torchrun", {{"--standalone", 'b'}, {"--nnodes", 'i'}, {"--nproc_per_node", 'i'}}, own);
  ::setenv("RANK", "0", 1);
  return RunScript(words[first], rest, static_cast<int>(launcher.Number("--nproc_per_node", 1)));
}

}  // namespace
}  // namespace cosmos::stand_ins

int main(int argc, char** argv) { return cosmos::stand_ins::Main(argc, argv); }
