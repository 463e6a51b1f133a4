#include "job/container_script.h"

#include <fmt/format.h>

#include "core/text.h"
#include "job/container_engine.h"

namespace cosmos {
namespace {

// Runs its arguments in the container as a child, so that signals that the command sends to itself have their effect:
// the kernel keeps them from process 1 of a PID namespace, see pid_namespaces(7). Signals that the group gets leave the
// wrapper alive, which still has to write the end. It writes into bytes that exist already, so a full disk is no
// matter.
constexpr const char* kWrapper = R"sh(trap : HUP INT QUIT TERM USR1 USR2
group() { set -- ${1##*) }; echo "$3"; }
read -r stat </proc/$$/stat
exec 9<>/.cosmos-job
echo "begun $(group "$stat")" >&9
"$@" 9>&-
status=$?
echo "ended $status" >&9
exit $status)sh";

// What the client did not pass on is fetched from the container engine, from the first byte on that the log does not
// have; where the engine keeps other bytes than were printed (it replaces what is no UTF-8), from the moment when the
// client ended.
constexpr const char* kAfter = R"sh(
ask() { engine inspect --type container --format '{{.State.Running}} {{.State.ExitCode}} {{.State.StartedAt}}' "$id"; }
have() { tail -c "+$((begin + 1))" run.log | head -c "$size"; }
fetch() {
  size=$(($(wc -c <run.log) - begin))
  same=$(engine logs "$id" 2>&1 | { have | LC_ALL=C cmp - /dev/fd/3; } 3<&0 2>&1)
  case $same in
    '') same=$size ;;
    *differ:*) same=${same#*differ: } same=${same#* } same=${same%%[!0-9]*} same=$((same - 1)) ;;
    *) same=${same##*byte } same=${same%%[!0-9]*} same=${same:-0} ;;
  esac
  if [ $((size - same)) -lt 4096 ]; then
    engine logs -f "$id" 2>&1 | tail -c "+$((same + 1))"
  else
    engine logs -f --since "$lost" "$id" 2>&1
  fi
}
lost=$(date -u +%Y-%m-%dT%H:%M:%SZ) note= told= state= nl='
'
id=$(cat container.id 2>/dev/null)
while [ -n "$id" ]; do
  if state=$(ask 2>&1); then
    state=${state##*"$nl"}
    # A status from 125 on may be the client's own, which then did not pass on all of the log.
    case $state in true*) status=125 ;; esac
    [ "$status" -lt 125 ] || fetch
    case $state in true*) ;; *) break ;; esac
  else
    state=${state##*"$nl"}
    case $state in *[Nn]o\ such\ *) state= && break ;; esac
    [ -n "$stop$told" ] || echo "[cosmos-engine] waits for the container engine, which says: $state"
    told=yes state=
  fi
  [ -z "$stop" ] || break
  sleep 1
done
begun= ended=
while read -r word value; do
  case $word in
    begun) begun=$value ;;
    ended) ended=$value ;;
  esac
done <container.record
case $state in
  '' | true* | *' 0001-01-01'*) ;;
  *)
    status=${state#* } status=${status%% *}
    [ -n "$begun" ] && note=unfinished || note=unexecuted ;;
esac
[ -z "$ended" ] || { status=$ended; note=; }
)sh";

bool IsBelow(const std::string& path, const std::string& folder) { return path.rfind(folder + "/", 0) == 0; }

}  // namespace

ContainerScript MakeContainerScript(const ContainerSpec& spec, const RunContext& context, const std::string& folder,
                                    const std::string& workdir, const std::vector<std::string>& env) {
  ContainerSpec job = spec;
  job.mounts.push_back(folder + "/" + kContainerRecord + ":" + kRecordInContainer);
  if (!IsBelow(folder, workdir)) job.mounts.push_back(folder + "/out:" + folder + "/out");
  job.args.insert(job.args.end(), {"--cidfile", folder + "/container.id"});
  if (!spec.entrypoint.empty() && spec.entrypoint != "keep") {
    job.args.insert(job.args.end(), {"--entrypoint", spec.entrypoint == "none" ? "/bin/sh" : spec.entrypoint});
  }
  ContainerScript script;
  script.before = fmt::format("printf '%64s' '' >{0} && chmod 666 {0} && begin=$(wc -c <run.log)\n", kContainerRecord);
  script.run = RunContainerWords(job, context, workdir, env) + (spec.entrypoint == "none" ? "" : " /bin/sh") + " -c " +
               ShellQuote(kWrapper) + " sh";
  script.after = "engine() { " + ContainerEngine{spec.engine, spec.sudo}.Words() + " \"$@\"; }\n" + kAfter;
  return script;
}

std::string TerminateInContainerScript(const std::string& engine_words, const std::string& name) {
  const std::string inside = fmt::format(
      "while read -r word value; do case $word in begun) kill -TERM -$value ;; esac; done <{}", kRecordInContainer);
  return engine_words + " exec " + ShellQuote(name) + " /bin/sh -c " + ShellQuote(inside);
}

}  // namespace cosmos
