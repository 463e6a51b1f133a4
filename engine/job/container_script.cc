#include "job/container_script.h"

#include <fmt/format.h>

#include "core/text.h"
#include "job/container_engine.h"

namespace cosmos {
namespace {

// Runs its arguments behind the first in the container as a child, so that signals that the command sends to itself
// have their effect: the kernel keeps them from process 1 of a PID namespace, see pid_namespaces(7). Signals that the
// group gets leave the wrapper alive, which still has to write the end. It writes into bytes that exist already, so a
// full disk is no matter. What the command prints goes to the host through a pipe, past the container engine; where the
// container has a kernel of its own (the first argument is the host's boot ID), no pipe leads out of it.
constexpr const char* kWrapper = R"sh(trap : HUP INT QUIT TERM USR1 USR2
host=$1
shift
group() { set -- ${1##*) }; echo "$3"; }
read -r stat </proc/$$/stat
{ read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
exec 9<>/.cosmos-job
echo "begun $(group "$stat")" >&9
if [ "$boot" = "$host" ] && (: >/.cosmos-log) 2>/dev/null; then exec >/.cosmos-log 2>&1; fi
"$@" 9>&-
status=$?
echo "ended $status" >&9
exit $status)sh";

constexpr const char* kBefore = "printf '%64s' '' >container.record && chmod 666 container.record\n";

constexpr const char* kAfter = R"sh(
ask() { engine inspect --type container --format '{{.State.Running}} {{.State.ExitCode}} {{.State.StartedAt}}' "$id"; }
note= told= state= nl='
'
id=
[ ! -f container.id ] || [ -L container.id ] || id=$(cat container.id)
while [ -n "$id" ]; do
  if state=$(ask 2>&1); then
    state=${state##*"$nl"}
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
exec 8>&-
case $state in true*) ;; *) wait $reader ;; esac
begun= ended=
if [ -f container.record ] && [ ! -L container.record ]; then
  while read -r word value; do
    case $word in
      begun) begun=$value ;;
      ended) ended=$value ;;
    esac
  done <container.record
fi
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
  job.mounts.push_back(folder + "/container.record:" + kRecordInContainer);
  job.mounts.push_back(folder + "/" + kLogPipe + ":/.cosmos-log");
  if (!IsBelow(folder, workdir)) job.mounts.push_back(folder + "/out:" + folder + "/out");
  job.args.insert(job.args.end(), {"--cidfile", folder + "/container.id"});
  if (!spec.entrypoint.empty() && spec.entrypoint != "keep") {
    job.args.insert(job.args.end(), {"--entrypoint", spec.entrypoint == "none" ? "/bin/sh" : spec.entrypoint});
  }
  ContainerScript script;
  script.before = kBefore;
  script.run = RunContainerWords(job, context, workdir, env) + (spec.entrypoint == "none" ? "" : " /bin/sh") + " -c " +
               ShellQuote(kWrapper) + " sh \"$boot\"";
  script.after = "engine() { " + ContainerEngine{spec.engine, spec.sudo}.Words() + " \"$@\"; }\n" + kAfter;
  return script;
}

std::string TerminateInContainerScript(const std::string& engine_words, const std::string& name) {
  const std::string inside = fmt::format(
      "while read -r word value; do case $word in begun) kill -TERM -$value ;; esac; done <{}", kRecordInContainer);
  return engine_words + " exec " + ShellQuote(name) + " /bin/sh -c " + ShellQuote(inside);
}

}  // namespace cosmos
