// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_JOB_SPEC_HPP_
#define COSMOS_JOB_SPEC_HPP_

#include <cosmos/text.hpp>

#include <array>
#include <map>
#include <string>
#include <vector>

namespace cosmos::sdk {

// What a video that a job makes must be like, as far as it is known beforehand. Files are local ones. A value.
struct VideoExpectation {
  std::vector<std::string> as_long_as;  // as many frames as the shortest of these videos
  int frames = 0;                       // so many frames; with as_long_as, at most so many; 0: any number
  std::string size_of;                  // as large as this video; empty: any size
  // With size_of: not its size, but the one of these {width, height} whose shape is nearest to its shape.
  std::vector<std::array<int, 2>> sizes;

  // As long and as large as `video`.
  static VideoExpectation Like(const std::string& video) { return {{video}, 0, video, {}}; }

  bool empty() const { return frames == 0 && as_long_as.empty() && size_of.empty(); }
  Json ToJson() const {
    return {{"frames", frames}, {"as_long_as", as_long_as}, {"size_of", size_of}, {"sizes", sizes}};
  }
};

// A file that a job makes, or several that are one output. Unless optional, it must be there when the job ends; a video
// must also decode, and be as it is expected. Since 1.4 the path may stand for several files: a folder with all that is
// below it (kind "folder", `frames/`), the files of one folder that match wildcards ("files", `frames/*.exr`), or the
// frames of a sequence ("frames", `frames/beauty.####.exr`, with `%04d` or `$F4` as well). Its value is then the path
// of the folder or the pattern. Of sequences no frame may be missing, and no file may be empty.
struct JobOutput {
  std::string path;           // relative to the job's output folder, or absolute on the target
  std::string kind = "file";  // "file", "video", "folder", "files" or "frames"
  bool optional = false;
  VideoExpectation expect = {};
  std::string frames = {};  // that a sequence must have: `1001-1100`, `1-100x2`, `1,5,10-20`; empty: first to last
  bool gaps = false;        // between the first and the last, frames may be missing
};

// What must be true of files that a job reads by a pattern or from a folder, see JobOutput. The engine looks at them
// when the job is about to start. Since 1.4.
struct JobInput {
  std::string path;  // a local one, as Task::Input is given it
  std::string frames = {};
  bool gaps = false;
};

// A text file that stands in the job's output folder when the job starts, such as its model's settings.
struct JobFile {
  std::string path;  // relative to the output folder
  std::string text;  // without secrets
};

// A video that a job reads, and the parameter that names it, such as "controls.edge.video".
struct NeededVideo {
  std::string parameter;
  std::string path;  // a local one
};

// What a job downloads when it is not there yet, such as its model's checkpoints.
struct NeededDownload {
  std::string folder;    // that it is kept in, on the target: absolute, or by `~/`; else below the folder of JobNeeds
  std::string variable;  // of the job's environment that names another folder; empty: none does
  std::string path;      // below it, what is there once it was downloaded; empty: nothing is downloaded
  double gb = 0;         // how much that is, about; 0: not known
};

// What must be there for a job to succeed, as far as it is known beforehand, so that the engine can look before a GPU
// is paid for. What is left empty or 0 is not looked at. Sizes are in GB of 10^9 bytes. A value.
struct JobNeeds {
  std::vector<NeededVideo> videos;  // each must decode
  bool alike = false;               // the videos have as many frames as the first one, and its shape
  // {width, height} that the model works in: it takes the nearest in shape, and distorts what has another shape.
  std::vector<std::array<int, 2>> sizes;
  // The folder on the target that `files` are relative to, absolute or below the home folder by `~/`. Empty: the one
  // the job starts in.
  std::string folder;
  std::vector<std::string> files;  // files or folders on the target
  std::string files_hint;          // how to get them there
  std::vector<std::string> programs;
  double gpu_memory_gb = 0;  // free on each of the stage's GPUs
  // The key of Task::KeepTimings under which jobs like this one are kept: what their GPUs held then counts more than
  // `gpu_memory_gb`. Null: none.
  Json history;
  std::string driver;       // NVIDIA's oldest that will do: "570.124.06"
  double disk_gb = 0;       // free where the job works
  NeededDownload download;  // for which there must be room

  bool empty() const {
    return videos.empty() && files.empty() && programs.empty() && gpu_memory_gb == 0 && driver.empty() &&
           disk_gb == 0 && download.path.empty();
  }
  Json ToJson() const {
    Json json = {{"alike", alike},
                 {"sizes", sizes},
                 {"folder", folder},
                 {"files", files},
                 {"files_hint", files_hint},
                 {"programs", programs},
                 {"gpu_memory_gb", gpu_memory_gb},
                 {"history", history},
                 {"driver", driver},
                 {"disk_gb", disk_gb}};
    Json& list = json["videos"] = Json::array();
    for (const NeededVideo& video : videos) list.push_back({{"parameter", video.parameter}, {"path", video.path}});
    if (!download.path.empty()) {
      json["download"] = {
          {"folder", download.folder}, {"variable", download.variable}, {"path", download.path}, {"gb", download.gb}};
    }
    return json;
  }
};

// What a durable job runs: an argument vector, or a script for /bin/sh; exactly one of them. A value.
struct JobSpec {
  std::vector<std::string> argv;
  std::string script;
  std::map<std::string, std::string> env;
  std::map<std::string, JobOutput> outputs;  // by name
  std::map<std::string, JobInput> inputs;    // by name; those of which something must be true
  std::map<std::string, JobFile> files;      // by name; kept as artifacts whatever becomes of the job
  JobNeeds needs;                            // looked at before anything is executed

  Json ToJson() const {
    Json json = Json::object();
    if (argv.empty()) {
      json["script"] = script;
    } else {
      json["argv"] = argv;
    }
    json["env"] = env;
    Json& made = json["outputs"] = Json::object();
    for (const auto& [name, output] : outputs) {
      made[name] = {{"path", output.path}, {"kind", output.kind}, {"optional", output.optional}};
      if (!output.expect.empty()) made[name]["expect"] = output.expect.ToJson();
      if (!output.frames.empty()) made[name]["frames"] = output.frames;
      if (output.gaps) made[name]["gaps"] = true;
    }
    for (const auto& [name, input] : inputs) {
      json["inputs"][name] = {{"path", input.path}, {"frames", input.frames}, {"gaps", input.gaps}};
    }
    if (!needs.empty()) json["needs"] = needs.ToJson();
    for (const auto& [name, file] : files) json["files"][name] = {{"path", file.path}, {"text", file.text}};
    return json;
  }
};

}  // namespace cosmos::sdk

#endif  // COSMOS_JOB_SPEC_HPP_
