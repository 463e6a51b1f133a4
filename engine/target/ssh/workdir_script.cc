#include "target/ssh/workdir_script.h"

#include "target/ssh/remote_scripts.h"

namespace cosmos {
namespace {

// From the current folder up to the root, by `..`, as names may hold anything. A folder with the sticky bit, as /tmp
// has it, may be written by all: they cannot touch what is another's in it. So may one of a group that the account has
// for itself, as many systems make them.
constexpr const char* kGuard = R"sh(guard() (
  mine=$(id -u) own=
  [ "$(id -gn)" != "$(id -un)" ] || own=$(id -g)
  while :; do
    set -- $(stat -c '%u %a %g %U %d:%i' .)
    [ $# = 5 ] || exit 1
    case $1 in
      0 | "$mine") ;;
      *) echo "'$(pwd -P)' belongs to the user $4, expected $(id -un) or root"; exit 1 ;;
    esac
    writable=$((0$2 & 022))
    [ "$3" != "$own" ] || writable=$((writable & 02))
    if [ $writable != 0 ] && [ $((0$2 & 01000)) = 0 ]; then
      echo "'$(pwd -P)' can be written by other users (mode $2), expected by $(id -un) or root alone"
      exit 1
    fi
    [ "$5" != "$(stat -c %d:%i ..)" ] || exit 0
    cd -P .. || exit 1
  done
)
)sh";

constexpr const char* kOwnFolder = R"sh([ -d .cosmos ] || mkdir -m 700 .cosmos || [ -d .cosmos ] || exit
if [ ! -d .cosmos ] || [ -L .cosmos ] || [ "$(stat -c %u .cosmos)" != "$(id -u)" ]; then
  echo "'$(pwd -P)/.cosmos' is not a folder of $(id -un)"; exit 13
fi
chmod 700 .cosmos || exit
)sh";

// The nearest folder that is there, and what is missing below it.
constexpr const char* kNearest = R"sh(missing=
while [ "$path" != / ] && [ ! -e "$path" ]; do
  case $path in
    */) path=${path%/} ;;
    *) missing=/${path##*/}$missing path=${path%/*}; path=${path:-/} ;;
  esac
done
cd -- "$path" 2>/dev/null || { echo "cannot enter '$path': Permission denied, or not a folder" >&2; exit 1; }
here=$(pwd -P; echo .)
here=${here%??}
)sh";

}  // namespace

std::string WorkdirScript(const std::string& folder, WorkdirRules rules) {
  const std::string path = FolderWords(folder);
  std::string script = std::string("export LC_ALL=C\n") + kGuard;
  const std::string guard = rules.shared ? "" : "guard || exit 13\n";
  if (rules.make) {
    script += "(umask 022; mkdir -p -- " + path + ") && cd -- " + path + " || exit\n" + guard;
    return script + (rules.shared ? "" : kOwnFolder) + "pwd -P\n";
  }
  script += "path=" + path + "\n" + kNearest + guard;
  return script + "here=${here%/}$missing\nprintf '%s\\n' \"${here:-/}\"\n";
}

}  // namespace cosmos
