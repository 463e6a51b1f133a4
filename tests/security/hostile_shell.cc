// What an sshd executes in place of every command (ForceCommand), to be a host that means harm.
//
//   cosmos_hostile_shell PLAY
//
// The engine's script comes on stdin, as RemoteFrame sends it. A script that holds the second line of the file PLAY is
// answered with the trick of its first line; all others are executed as on any host. Behind these two lines stands the
// text of the trick `reply`, or the complaint of `complain`.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace {

struct Play {
  std::string trick, pattern, text;
};

Play Read(const char* path) {
  Play play;
  std::ifstream file(path);
  std::getline(file, play.trick);
  std::getline(file, play.pattern);
  play.text.assign(std::istreambuf_iterator<char>(file), {});
  return play;
}

// The command says how long the script is: `… head -c BYTES …`.
std::string ReadScript(const std::string& command) {
  const std::size_t at = command.find("head -c ");
  std::string script(at == command.npos ? 0 : std::strtoul(command.c_str() + at + 8, nullptr, 10), '\0');
  std::size_t done = 0;
  while (done < script.size()) {
    const ssize_t n = ::read(STDIN_FILENO, script.data() + done, script.size() - done);
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  script.resize(done);
  return script;
}

// The rest of the line behind `word`, with the word.
std::string Mark(const std::string& script, const std::string& word) {
  const std::size_t at = script.find(word);
  return at == script.npos ? "" : script.substr(at, script.find_first_of("'\n ", at) - at);
}

void Print(int descriptor, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(descriptor, text.data() + done, text.size() - done);
    if (n <= 0) std::exit(0);  // the engine has closed the channel
    done += static_cast<std::size_t>(n);
  }
}

[[noreturn]] void PrintForever(int descriptor, const std::string& text) {
  for (;;) Print(descriptor, text);
}

void Act(const Play& play, const std::string& script) {
  const std::string begin = Mark(script, "cosmos-begin-") + "\n";
  const std::string end = Mark(script, "cosmos-end-");
  const std::string much(1 << 16, 'x');
  if (play.trick == "noise") PrintForever(STDOUT_FILENO, much);  // the reply never begins
  Print(STDOUT_FILENO, begin);
  Print(STDERR_FILENO, begin);
  if (play.trick == "endless") PrintForever(STDOUT_FILENO, much);
  if (play.trick == "endless-errors") PrintForever(STDERR_FILENO, much);
  if (play.trick == "silence") ::pause();
  if (play.trick == "reply") Print(STDOUT_FILENO, play.text + end + " 0\n");
  if (play.trick == "complain") {
    Print(STDERR_FILENO, play.text);
    Print(STDOUT_FILENO, end + " 1\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  const char* command = std::getenv("SSH_ORIGINAL_COMMAND");
  if (argc != 2 || command == nullptr) return 2;
  const std::string script = ReadScript(command);
  const Play play = Read(argv[1]);
  if (play.trick.empty() || script.find(play.pattern) == script.npos) {
    ::signal(SIGPIPE, SIG_DFL);
    ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
    return 126;
  }
  Act(play, script);
  return 0;
}
