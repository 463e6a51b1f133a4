#pragma once

#include <OpenEXR/ImfChannelList.h>
#include <OpenEXR/ImfFrameBuffer.h>
#include <OpenEXR/ImfHeader.h>
#include <OpenEXR/ImfOutputFile.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace cosmos {

// For tests: an EXR with these channels, each with the pixels of the window, row by row.
inline void WriteExr(const std::filesystem::path& file, const Imath::Box2i& shown, const Imath::Box2i& window,
                     const std::map<std::string, std::vector<float>>& channels) {
  std::filesystem::create_directories(file.parent_path());
  Imf::Header header(shown, window);
  Imf::FrameBuffer buffer;
  for (const auto& [name, pixels] : channels) {
    header.channels().insert(name, Imf::Channel(Imf::FLOAT));
    buffer.insert(name, Imf::Slice::Make(Imf::FLOAT, pixels.data(), window));
  }
  Imf::OutputFile output(file.c_str(), header);
  output.setFrameBuffer(buffer);
  output.writePixels(window.max.y - window.min.y + 1);
}

// The same of a picture that is all there.
inline void WriteExr(const std::filesystem::path& file, int width, int height,
                     const std::map<std::string, std::vector<float>>& channels) {
  const Imath::Box2i window({0, 0}, {width - 1, height - 1});
  WriteExr(file, window, window, channels);
}

}  // namespace cosmos
