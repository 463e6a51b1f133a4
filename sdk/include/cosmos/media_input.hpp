// SPDX-License-Identifier: BSL-1.0
//
// How ffmpeg and ffprobe read a file that somebody else made. Left to themselves they also follow playlists, and a
// playlist that calls itself output.mp4 makes them read any file of the machine. Engine and plugins make every such
// command here; tests/integration/media_commands_test.cc holds them to it.
#ifndef COSMOS_MEDIA_INPUT_HPP_
#define COSMOS_MEDIA_INPUT_HPP_

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos::sdk {

using Arguments = std::vector<std::string>;

inline constexpr const char* kFfmpeg = "ffmpeg";
inline constexpr const char* kFfprobe = "ffprobe";

// The demuxers that may read a file: each reads one video or one picture and opens no other file.
inline constexpr const char* kMediaFormats =
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,mxf,ogg,flv,asf,nut,dv,ivf,h264,hevc,yuv4mpegpipe,gif,"
    "png_pipe,jpeg_pipe,tiff_pipe,exr_pipe,dpx_pipe,bmp_pipe,webp_pipe";

// The same for people.
inline constexpr const char* kMediaFormatNames =
    "MP4, MOV, Matroska, WebM, AVI, MXF, MPEG, or a picture such as PNG, JPEG or EXR";

// Pictures with more pixels, such as 16,384 x 8,192, are refused before memory for them is taken.
inline constexpr long long kMaxPixels = 1LL << 27;

inline Arguments Joined(std::initializer_list<Arguments> parts) {
  Arguments all;
  for (const Arguments& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

namespace media_internal {

inline Arguments Limits(const char* formats) {
  return {"-protocol_whitelist", "file", "-format_whitelist", formats, "-max_pixels", std::to_string(kMaxPixels)};
}

}  // namespace media_internal

// The arguments that make `path` the next input of ffmpeg, or the input of ffprobe. No character of `path` is special:
// a leading '-', '%03d' and 'http:' are part of the file's name.
inline Arguments MediaInput(const std::string& path) {
  return Joined({media_internal::Limits(kMediaFormats), {"-i", "file:" + path}});
}

// The same as a part of a POSIX shell's command, for the file whose path the shell variable holds.
inline std::string ShellMediaInput(std::string_view variable) {
  std::string text;
  for (const std::string& word : media_internal::Limits(kMediaFormats)) text += word + " ";
  return text + "-i \"file:${" + std::string(variable) + "}\"";
}

// The arguments that make frames on stdin the next input. `format` is ffmpeg's name of how their pixels are stored,
// such as `gray`, one byte a pixel.
inline Arguments RawFramesInput(const char* format, int width, int height) {
  return {"-f", "rawvideo", "-pix_fmt", format, "-video_size", std::to_string(width) + "x" + std::to_string(height),
          "-i", "pipe:0"};
}

// ffmpeg's command, of its arguments in order: those of inputs are made by the functions above.
inline Arguments FfmpegCommand(std::initializer_list<Arguments> parts) {
  return Joined({{kFfmpeg, "-nostdin", "-v", "error"}, Joined(parts)});
}

// The command by which ffprobe reads the input that the functions above made.
inline Arguments FfprobeCommand(const Arguments& options, const Arguments& input) {
  return Joined({{kFfprobe, "-v", "error"}, options, input});
}

// The beginning of ffmpeg's command in a POSIX shell, with its progress line and errors alone; it overwrites files.
inline std::string ShellFfmpeg() { return std::string(kFfmpeg) + " -nostdin -hide_banner -loglevel error -stats -y"; }

// The beginning of ffprobe's command in a POSIX shell.
inline std::string ShellFfprobe() { return std::string(kFfprobe) + " -v error"; }

// Why a file was refused, when the log of ffmpeg or ffprobe says that its format is none of kMediaFormats: a clause
// that names the format; otherwise empty.
inline std::string RefusedFormat(std::string_view log) {
  const std::size_t at = log.find("] Format not on whitelist");
  if (at == std::string_view::npos) return "";
  // Such as `[hls @ 0x55d0] Format …`.
  const std::size_t begin = log.rfind('[', at);
  std::string name(begin == std::string_view::npos ? log.substr(0, at) : log.substr(begin + 1, at - begin - 1));
  name.resize(name.find(' ') == std::string::npos ? name.size() : name.find(' '));
  return "found the format '" + name + "', expected " + kMediaFormatNames +
         " (playlists and other formats that open further files are not read)";
}

}  // namespace cosmos::sdk

#endif  // COSMOS_MEDIA_INPUT_HPP_
