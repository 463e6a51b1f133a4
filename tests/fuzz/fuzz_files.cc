#include <stdlib.h>

#include <filesystem>

#include "core/error.h"
#include "core/files.h"
#include "fuzz/fuzz_targets.h"
#include "media/exr_picture.h"
#include "run/rebuild/run_from_files.h"
#include "run/recovery.h"
#include "run/run_inputs.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;

// A folder in memory where there is one, removed with the object.
class Folder {
 public:
  Folder() {
    std::string name = fs::exists("/dev/shm") ? "/dev/shm/cosmos-fuzz-XXXXXX" : "/tmp/cosmos-fuzz-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw Error(ErrorCode::kIo, "cannot make a folder like " + name);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  fs::path Put(const std::string& name, std::string_view content) const {
    fs::create_directories((path_ / name).parent_path());
    WriteFile(path_ / name, content);
    return path_ / name;
  }

 private:
  fs::path path_;
};

}  // namespace

void FuzzJournal(std::string_view input) {
  static const Folder folder;
  const fs::path journal = folder.Put("out/.runs/rs_1/events.jsonl", input);
  const History history({}, journal);
  try {
    ReadRunFolder(journal.parent_path());
  } catch (const Error&) {
  }
}

void FuzzRunInputs(std::string_view input) {
  static const Folder folder;
  try {
    LoadRunInputs(folder.Put("run.json", input));
  } catch (const Error&) {
  }
}

void FuzzExr(std::string_view input) {
  static const Folder folder;
  const fs::path file = folder.Put("a.exr", input);
  try {
    CheckExrColour(file);
  } catch (const Error&) {
  }
  try {
    ReadExrDepth(file);
  } catch (const Error&) {
  }
}

}  // namespace cosmos::testing
