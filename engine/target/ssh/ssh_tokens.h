#pragma once

#include <map>
#include <string>
#include <string_view>

namespace cosmos {

// What `%` and a letter stand for in values of ssh_config(5), by letter.
using SshTokens = std::map<char, std::string>;

// Replaces `%X` as ssh does; `%%` is `%`. Throws Error{kInvalidInput}, which names the keyword `key`, for a token that
// is not among `tokens`.
std::string ExpandTokens(std::string_view text, const SshTokens& tokens, const std::string& key);

// The path that `IdentityFile` and its like mean: a leading `~/` or `~USER/`, tokens (`%d` is the home folder) and
// `${VARIABLE}`. Throws Error{kInvalidInput} for an unknown token, user or variable.
std::string ExpandPath(const std::string& text, const SshTokens& tokens, const std::string& key);
// A leading `~/` or `~USER/` alone; `home` is the user's own folder.
std::string ExpandTilde(const std::string& path, const std::string& home);

// For libssh, which replaces tokens in paths and in a proxy's command: `%` itself is written twice.
std::string EscapeTokens(std::string_view text);

}  // namespace cosmos
