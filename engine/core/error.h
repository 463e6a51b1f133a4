#pragma once

#include <stdexcept>
#include <string>

namespace cosmos {

// What kind of thing went wrong; decides the program's exit status (DESIGN 10).
enum class ErrorCode {
  kInvalidInput,    // the user's input is wrong and nothing was executed
  kNotFound,        // a named thing (run, file, plugin) does not exist
  kConflict,        // the thing is there but in a state that forbids the operation
  kUnavailable,     // a target, a database or a program cannot be used now
  kConnectionLost,  // a target cannot be reached now; what goes on there goes on
  kIo,              // a system call on a file failed
  kUnfinished,      // the engine cannot go on with a job that it started; the job and what it made are still there
  kPlugin,          // a plugin is wrong or broke its contract
  kInternal,        // a defect of the engine
};

// The one exception of the engine. `message` says what was found and what was expected, `hint` what to do about it (may
// be empty), `where` is `file:line:column` when the fault stands in a file (may be empty). Immutable.
// Within C++14: the store's headers include it.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, std::string hint = std::string(),
        std::string where = std::string());

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const std::string& where() const { return where_; }

 private:
  ErrorCode code_;
  std::string message_;
  std::string hint_;
  std::string where_;
};

// An Error of kind kIo that names the operation, the path and the reason of `error_number` (an errno).
Error IoError(const std::string& operation, const std::string& path, int error_number);

}  // namespace cosmos
