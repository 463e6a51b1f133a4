#pragma once

#include <gtest/gtest.h>

#include <cosmos/shell_quote.hpp>
#include <string>

#include "testing/fake_host.h"

namespace cosmos::plugins {

// For tests of video plugins: makes small clips and reads what came out, with the real ffmpeg and ffprobe.
class VideoFixture : public ::testing::Test {
 protected:
  using Json = nlohmann::json;
  using Result = sdk::testing::FakeHost::Result;

  std::string Path(const std::string& name) const { return (host_.folder() / name).string(); }

  // A clip of one of ffmpeg's own sources, such as "color=gray:s=160x90:r=12:d=1"; gives its path.
  std::string Clip(const std::string& name, const std::string& source, const std::string& more = "") const {
    sdk::testing::Shell("ffmpeg -nostdin -v error -f lavfi -i " + sdk::ShellQuote(source) + " " + more +
                        " -c:v libx264 -qp 0 -pix_fmt yuv420p " + sdk::ShellQuote(Path(name)));
    return Path(name);
  }

  // What ffprobe says of the file: {"streams": [video stream first], "format": …}.
  static Json Probe(const std::string& file) {
    return Json::parse(sdk::testing::Shell("ffprobe -v error -count_frames -show_streams -show_format -of json " +
                                           sdk::ShellQuote(file)));
  }

  static int Frames(const std::string& file) {
    return std::stoi(Probe(file).at("streams").at(0).at("nb_read_frames").get<std::string>());
  }

  static std::string Size(const std::string& file) {
    const Json stream = Probe(file).at("streams").at(0);
    return std::to_string(stream.at("width").get<int>()) + "x" + std::to_string(stream.at("height").get<int>());
  }

  // The mean luma of a part of the first frame, 16 (black) to 235 (white). `crop` is WIDTH:HEIGHT:X:Y.
  static int Luma(const std::string& file, const std::string& crop) {
    return std::stoi(sdk::testing::Shell("ffmpeg -nostdin -v error -i " + sdk::ShellQuote(file) +
                                         " -frames:v 1 -vf extractplanes=y,crop=" + crop +
                                         ",scale=1:1:flags=area -f rawvideo - | od -An -tu1"));
  }

  // A fingerprint of every frame's pixels, after `filter`.
  static std::string Pixels(const std::string& file, const std::string& filter = "null") {
    return sdk::testing::Shell("ffmpeg -nostdin -v error -i " + sdk::ShellQuote(file) + " -map 0:v -vf " + filter +
                               " -f md5 -");
  }

  sdk::testing::FakeHost host_;
};

}  // namespace cosmos::plugins
