#include "media/picture_probe.h"

#include <algorithm>
#include <variant>
#include <vector>

namespace cosmos {
namespace {

// Adds what is known of one picture, which must be of the kind of those before.
void Add(const DecodedPicture& picture, bool first, PictureFacts* facts, ProbedControl* probed) {
  if (first) {
    probed->distances = picture.distances;
    probed->colorspace = picture.colorspace;
  } else if (picture.distances != probed->distances || picture.colorspace != probed->colorspace) {
    *facts = {0, 0, "found integers where the frames before it have floating-point values, or the other way round",
              "render all frames in one format"};
    return;
  }
  *facts = {picture.width, picture.height, "", ""};
  if (!picture.depth) return;
  if (!probed->depth) probed->depth = picture.depth;
  probed->depth->near = std::min(probed->depth->near, picture.depth->near);
  probed->depth->far = std::max(probed->depth->far, picture.depth->far);
}

}  // namespace

ProbedControl ProbePictures(const ControlFrames& control, const std::filesystem::path& folder,
                            const PictureChoice& choice, PictureSource* source, const PictureListener& listener) {
  std::vector<std::int64_t> numbers;
  std::vector<PictureQuery> queries;
  for (const auto& [number, file] : control.sequence.frames) {
    if (!control.numbers.Contains(number) || file.size == 0)
      continue;  // empty ones are known as such from their listing
    numbers.push_back(number);
    queries.push_back({folder / file.path, choice, false});
  }
  ProbedControl probed;
  bool first = true;
  source->Read(queries, [&](std::size_t i, const PictureSource::Decoded& decoded) {
    PictureFacts& facts = probed.pictures[numbers[i]];
    if (const auto* problem = std::get_if<PictureProblem>(&decoded)) {
      facts = {0, 0, problem->message, problem->hint};
    } else {
      Add(std::get<DecodedPicture>(decoded), first, &facts, &probed);
      first = false;
    }
    listener(static_cast<std::int64_t>(i) + 1);
  });
  return probed;
}

}  // namespace cosmos
