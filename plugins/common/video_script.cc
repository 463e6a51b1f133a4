#include "common/video_script.h"

#include <cosmos/media_input.hpp>
#include <cosmos/shell_quote.hpp>

#include "common/parameters.h"

namespace cosmos::plugins {

std::string VideoScriptHead() {
  return R"sh(set -eu
absolute() { case $1 in /*) printf '%s' "$1" ;; *) printf '%s/%s' "$PWD" "$1" ;; esac; }
probe() {
  width= height= rate= frames= turned= sar=1/1
  facts=$()sh" +
         sdk::ShellFfprobe() + R"sh( -select_streams v:0 -count_frames -of default=noprint_wrappers=1 -show_entries \
    stream=width,height,sample_aspect_ratio,r_frame_rate,avg_frame_rate,nb_read_frames:stream_side_data=rotation \
    )sh" +
         sdk::ShellMediaInput("1") +
         R"sh()
  while IFS='=' read -r key value; do
    case $key=$value in
      width=*) width=$value ;;
      height=*) height=$value ;;
      r_frame_rate=*) rate=$value ;;
      avg_frame_rate=[1-9]*) rate=$value ;;
      sample_aspect_ratio=[1-9]*:[1-9]*) sar=${value%:*}/${value#*:} ;;
      nb_read_frames=[1-9]*) frames=$value ;;
      rotation=90 | rotation=-90 | rotation=270 | rotation=-270) turned=1 ;;
    esac
  done <<FACTS
$facts
FACTS
  if [ -z "$width" ] || [ -z "$frames" ]; then
    printf 'found no video in %s\n' "$1" >&2
    exit 1
  fi
  if [ -n "$turned" ]; then value=$width width=$height height=$value sar=${sar#*/}/${sar%/*}; fi
}
frames_at() { echo $((frames * ${1%/*} * ${rate#*/} / (${1#*/} * ${rate%/*}))); }
even() { if [ "$1" -lt 2 ]; then echo 2; else echo $(($1 / 2 * 2)); fi; }
)sh";
}

std::string SetAbsolute(std::string_view variable, std::string_view path) {
  return std::string(variable) + "=$(absolute " + sdk::ShellQuote(path) + ")\n";
}

std::string X264(double crf) {
  return "-c:v libx264 -preset veryfast -crf " + Format(crf) +
         " -pix_fmt yuv420p -threads:v 4 -bitexact -movflags +faststart";
}

}  // namespace cosmos::plugins
