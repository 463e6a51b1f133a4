#pragma once

#include <cosmos/job_spec.hpp>
#include <cosmos/task.hpp>

namespace cosmos::plugins {

// The parameters of back end `cosmos-4k`, a schema without `backend`.
sdk::Json Cosmos4kParameters();

// The 4K upscaler of cosmos-transfer1: the video is made anew, three times as wide and as high, guided by itself.
// 1280x704 becomes 3840x2112. Makes output.mp4.
sdk::JobSpec Cosmos4kJob(sdk::Task& task, const sdk::Json& parameters);

// What earlier jobs like it are kept by; see HistoryKey of common/phase_timings.h.
sdk::Json Cosmos4kKey(const sdk::Json& parameters);

}  // namespace cosmos::plugins
