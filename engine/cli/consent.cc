#include "cli/consent.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "core/error.h"

namespace cosmos {

std::vector<OptionSpec> ConsentOptions() {
  return {{"dry-run", "", "list what would be removed, and remove nothing"}, {"yes,y", "", "remove without asking"}};
}

Consent ConsentOf(const Arguments& arguments, const Console& console) {
  if (arguments.Has("dry-run")) return Consent::kDryRun;
  if (arguments.Has("yes")) return Consent::kGiven;
  if (!console.json() && console.terminal() && ::isatty(STDIN_FILENO) != 0) return Consent::kAsk;
  throw Error(ErrorCode::kInvalidInput, "there is no terminal to ask for consent on; nothing was removed",
              "add --yes to remove what is found, or --dry-run to list it");
}

bool MayRemove(Consent consent, std::size_t count, Console* console) {
  if (count == 0 || consent != Consent::kAsk) return count > 0 && consent == Consent::kGiven;
  console->Print(fmt::format("remove {}? [y/N] ", count == 1 ? "it" : fmt::format("these {}", count)));
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace cosmos
