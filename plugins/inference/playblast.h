#pragma once

#include <cosmos/job_spec.hpp>
#include <cosmos/task.hpp>

namespace cosmos::plugins {

// The job of model `playblast`: what a VFX artist calls a playblast, a quick proxy of the shot before paying for a GPU.
// ffmpeg mixes the input video with the control videos by their weights (an edge or vis control that is not given is
// made from the input), and burns in what the shot would be generated with. It makes output.mp4 and the record
// output.json, and says in log and picture that it is a proxy. The same parameters give the same frames.
//
// Throws StageFailure invalid_input when depth or seg has a weight but no video.
sdk::JobSpec PlayblastJob(sdk::Task& task, const sdk::Json& parameters);

}  // namespace cosmos::plugins
