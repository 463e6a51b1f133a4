#include "support/model_repo.h"

#include <fstream>
#include <stdexcept>
#include <utility>

#include "support/processes.h"

namespace cosmos::testing {
namespace fs = std::filesystem;

ModelRepo::ModelRepo(fs::path folder, const std::string& size, int frames) : folder_(std::move(folder)) {
  for (const char* file : {"cosmos_transfer1/diffusion/inference/transfer.py", "examples/inference.py",
                           "checkpoints/nvidia/Cosmos-Transfer1-7B/base_model.pt",
                           "checkpoints/nvidia/Cosmos-Transfer1-7B/edge_control.pt",
                           "checkpoints/nvidia/Cosmos-Transfer1-7B/depth_control.pt",
                           "checkpoints/nvidia/Cosmos-Transfer1-7B/4kupscaler_control.pt",
                           "checkpoints/nvidia/Cosmos-Tokenize1-CV8x8x8-720p/mean_std.pt",
                           "checkpoints/nvidia/Cosmos-Guardrail1/README.md", "checkpoints/google-t5/t5-11b/config.json",
                           "checkpoints/model.pt"}) {
    fs::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file) << "stand-in\n";
  }
  fs::create_directories(folder_ / "bin");
  for (const char* name : {"torchrun", "python"}) fs::copy_file(COSMOS_STAND_IN, folder_ / "bin" / name);
  SetClip(size, frames);
}

void ModelRepo::SetClip(const std::string& size, int frames) const {
  fs::create_directories(folder_ / "stand_in");
  const Ended made =
      RunProgram({"ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=r=24:s=" + size,
                  "-frames:v", std::to_string(frames), "-pix_fmt", "yuv420p", (folder_ / "stand_in/clip.mp4").string()},
                 std::chrono::minutes(5));
  if (made.status != 0) throw std::runtime_error("no clip: " + made.err);
}

}  // namespace cosmos::testing
