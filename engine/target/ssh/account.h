#pragma once

#include <optional>
#include <string>

namespace cosmos {

// A user of this machine, as getpwnam(3) knows it. A value.
struct Account {
  std::string name;
  std::string home;
};

// Who runs the engine; empty where the machine has no entry for the user ID. Any thread.
Account OwnAccount();
std::optional<Account> FindAccount(const std::string& name);
// $HOME, as everywhere in the engine, or else the account's. `ssh` looks at the account alone.
std::string HomeFolder();

}  // namespace cosmos
