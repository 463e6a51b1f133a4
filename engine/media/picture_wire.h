#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "media/depth_range.h"

namespace cosmos {

// Which channels of a picture, and what their values mean. A value.
struct PictureChoice {
  enum class Kind { kColour, kDepth };

  Kind kind = Kind::kColour;
  std::string layer = {};       // of an EXR file; empty: the one that holds the beauty, or the depth
  std::string colorspace = {};  // of colours; empty: linear-srgb for floating-point values, srgb for integers
};

// What the program cosmos-pictures is asked. A value.
struct PictureQuery {
  std::filesystem::path file;
  PictureChoice choice;
  bool wants_pixels = false;  // otherwise the picture is decoded and only described
};

// A picture that was decoded to its end. A value.
struct DecodedPicture {
  int width = 0;
  int height = 0;
  bool distances = false;                // of a depth picture: its values are distances, not grey levels
  std::string colorspace = {};           // of colours, as they were taken
  std::optional<DepthRange> depth = {};  // the nearest and the farthest surface, where there are distances
  std::string pixels = {};  // row by row: kColour as RGB of 8 bits each, kDepth as floats; infinity: no surface
};

// Why a picture cannot be used. A value.
struct PictureProblem {
  std::string message;
  std::string hint;
};

// The protocol of cosmos-pictures: it reads queries on stdin, and answers each in order on stdout with a line, behind
// which the pixels stand. A query is its fields, each ended by a NUL, because a path is any bytes.
inline constexpr int kQueryFields = 5;

std::string ToWire(const PictureQuery& query);
// REQUIRES: kQueryFields fields, without their NULs.
PictureQuery QueryFromWire(const std::string (&fields)[kQueryFields]);

// The line of an answer, with its end; of `picture` without the pixels.
std::string ToWire(const DecodedPicture& picture);
std::string ToWire(const PictureProblem& problem);

// An answer without its pixels. A value.
struct PictureAnswer {
  DecodedPicture picture;
  std::int64_t pixel_bytes = 0;  // that follow
  std::optional<PictureProblem> problem;
};
// Throws Error{kInternal} when the line is none that ToWire makes.
PictureAnswer AnswerFromWire(const std::string& line);

}  // namespace cosmos
