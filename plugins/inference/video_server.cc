#include "inference/video_server.h"

#include <cosmos/shell_quote.hpp>

namespace cosmos::plugins {
namespace {

using sdk::ShellQuote;

// $server, $form and $folder come before it. curl's -K keeps the token off every command line. The server is not
// trusted: its answers are at most 2 MiB (ulimit counts in 512 bytes), of which 64 KiB are read; its ID becomes part of
// an address and of nothing else; and it may not be silent for ever.
constexpr const char* kScript = R"sh(
cd "$folder"
ask() {
  printf 'header = "Authorization: Bearer %s"\n' "${VIDEO_SERVER_TOKEN-}" |
    curl -sS -g --fail-with-body --connect-timeout 30 --speed-limit 1 --speed-time 300 -K - "$@"
}
talk() {
  result=0
  (trap '' XFSZ; ulimit -f 4096; ask -o .answer "$@") || result=$?
  answer=$(head -c 65536 .answer 2>/dev/null | tr -d '\0') || answer=
  rm -f .answer
  return $result
}
field() { printf '%s' "$answer" | tr -d '\n' | sed -n 's/.*"'"$1"'" *: *"\{0,1\}\([^",}]*\).*/\1/p'; }
curl -sS -g -o /dev/null --connect-timeout 30 --max-time 60 --retry 5 --retry-connrefused "$server/health" || {
  echo "found no server at $server; start it, or mend \`server\`" >&2
  exit 1
}
eval "set -- $form"
talk "$@" "$server/v1/videos" || { echo "the server refused the request: $answer" >&2; exit 1; }
id=$(field id)
case $id in
  '' | [.-]* | *[!A-Za-z0-9._-]*) echo "the server gave no id that can be one: $answer" >&2; exit 1 ;;
esac
echo "video $id: asked for"
trap 'ask -o /dev/null -X DELETE "$server/v1/videos/$id"; exit 143' TERM INT HUP
missed=0
while :; do
  sleep 1
  # A server that is busy may miss a question; its job goes on.
  if ! talk --max-time 60 "$server/v1/videos/$id"; then
    missed=$((missed + 1))
    if [ $missed -ge 30 ]; then echo "the server does not answer any more: $answer" >&2; exit 1; fi
    continue
  fi
  missed=0
  status=$(field status) progress=$(field progress)
  echo "video $id: $status"
  case $progress in [0-9] | [0-9][0-9] | 100) echo "progress: $progress/100" ;; esac
  case $status in
    completed | succeeded) break ;;
    failed | cancelled | error) echo "the server could not make the video: $answer" >&2; exit 1 ;;
  esac
done
ask -L --max-redirs 5 --proto-redir =http,https -o output.mp4.part "$server/v1/videos/$id/content"
mv output.mp4.part output.mp4
echo "video $id: saved"
)sh";

}  // namespace

sdk::JobSpec VideoServerJob(sdk::Task& task, const VideoServerRequest& request) {
  std::string form;
  for (const auto& [name, value] : request.fields) form += " --form-string " + ShellQuote(name + "=" + value);
  // curl reads `;` and `,` in a file's name as its own unless it stands in double quotes.
  if (!request.input.empty()) form += " -F " + ShellQuote("input_reference=@\"" + request.input + "\"");
  std::string server = request.server;
  while (!server.empty() && server.back() == '/') server.pop_back();
  sdk::JobSpec job;
  job.script = "set -eu\nserver=" + ShellQuote(server) + "\nfolder=" + ShellQuote(task.OutputFolder()) +
               "\nform=" + ShellQuote(form) + kScript;
  job.files["command"] = {"command.txt", "curl" + form + " " + ShellQuote(server + "/v1/videos") + "\n"};
  sdk::Json spec(request.fields);
  if (!request.input.empty()) spec["input_reference"] = request.input;
  job.files["spec"] = {"spec.json", spec.dump(2, ' ', false, sdk::Json::error_handler_t::replace) + "\n"};
  job.outputs["video"] = {"output.mp4", "video", false, {}};
  return job;
}

ProgressRules VideoServerProgress() {
  ProgressRules rules;
  rules.phases = {{": queued", "queued", 0, 0},
                  {": in_progress", "rendering", 0.01, 0.98},
                  {": completed", "downloading", 0.98, 1},
                  {": saved", "saved", 1, 1}};
  rules.rounds_phase = "rendering";
  rules.counters = {{"", "progress: ", ""}};
  return rules;
}

}  // namespace cosmos::plugins
