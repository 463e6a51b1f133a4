#pragma once

#include <string>
#include <vector>

#include "run/gpu/gpu_series.h"

namespace cosmos {

// What the GPUs of one stage attempt did, to be drawn.
struct GpuPlot {
  std::string title;  // the attempt
  std::vector<GpuSeriesSample> samples;
};

// Charts of characters for a terminal: for each GPU its utilisation and its memory over the time, `width` columns wide
// (at least 40 are taken). Moments that were not watched stay blank.
std::string PlotAsText(const GpuPlot& plot, int width);

// One SVG 1.1 document with a pair of charts for each plot, a line for each GPU. Needs nothing else to be looked at.
std::string PlotsAsSvg(const std::vector<GpuPlot>& plots);

}  // namespace cosmos
