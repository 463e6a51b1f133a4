#pragma once

#include <cosmos/job_spec.hpp>
#include <cosmos/task.hpp>
#include <string>
#include <vector>

namespace cosmos::plugins {

// The videos to enlarge: `input` is a path or a list of paths.
std::vector<std::string> InputsOf(const sdk::Json& parameters);

// The job's name for the result of the `index`-th of `count` inputs, from 0: "video", or "video_1", "video_2", …
std::string OutputName(std::size_t index, std::size_t count);

// The parameters of back end `lanczos`, a schema without `backend`.
sdk::Json LanczosParameters();

// The job of back end `lanczos`: ffmpeg enlarges each input by its lanczos filter and sharpens it by `weight`; frames,
// rate, sound and metadata stay. Results are output.mp4, or output_1.mp4, output_2.mp4, … for a list.
sdk::JobSpec LanczosJob(sdk::Task& task, const sdk::Json& parameters);

// What earlier jobs like it are kept by; see HistoryKey of common/phase_timings.h. Of a list it looks at the first.
sdk::Json LanczosKey(const sdk::Json& parameters);

}  // namespace cosmos::plugins
