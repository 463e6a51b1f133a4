#include "log/run_logger.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glog/logging.h>
#include <unistd.h>

#include <string>

#include "core/fd.h"
#include "core/files.h"
#include "core/text.h"

namespace cosmos {
namespace {

int SeverityOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
    case LogLevel::kInfo:
      return google::GLOG_INFO;
    case LogLevel::kWarning:
      return google::GLOG_WARNING;
    case LogLevel::kError:
      return google::GLOG_ERROR;
  }
  return google::GLOG_ERROR;
}

}  // namespace

class RunLogger::FileSink final : public google::LogSink {
 public:
  explicit FileSink(const std::filesystem::path& path) : file_(DemandRegular(path, O_WRONLY | O_CREAT | O_APPEND)) {}

  using google::LogSink::send;
  void send(google::LogSeverity severity, const char*, const char*, int, const google::LogMessageTime& time,
            const char* message, size_t size) override {
    const std::string line = fmt::format(
        "{}{:02}{:02} {:02}:{:02}:{:02}.{:06} {} {}\n", google::GetLogSeverityName(severity)[0], time.month() + 1,
        time.day(), time.hour(), time.min(), time.sec(), time.usec(), ::gettid(), std::string_view(message, size));
    // A log that cannot be written (a full disk) must not end a run.
    [[maybe_unused]] const ssize_t written = ::write(file_.get(), line.data(), line.size());
  }

 private:
  Fd file_;
};

void InitLogging(const char* program) {
  FLAGS_logtostderr = true;  // glog writes no files of its own; each run has its own sink
  FLAGS_colorlogtostderr = ::isatty(STDERR_FILENO) != 0;
  if (!google::IsGoogleLoggingInitialized()) google::InitGoogleLogging(program);
}

RunLogger::RunLogger(const std::filesystem::path& path, const Masker* masker, bool verbose)
    : sink_(std::make_unique<FileSink>(path)), masker_(masker), verbose_(verbose) {}

RunLogger::~RunLogger() = default;

void RunLogger::Log(LogLevel level, const RunContext& context, std::string_view text) noexcept {
  try {
    const std::string stage = context.stage.empty() ? "-" : context.key();
    for (const std::string& line : SplitLines(Harmless(masker_->Mask(text)))) {
      google::LogMessage(__FILE__, __LINE__, SeverityOf(level), sink_.get(), verbose_).stream()
          << context.run_id << ' ' << stage << "] " << line;
    }
  } catch (...) {  // for want of memory; nothing can be said about it
  }
}

}  // namespace cosmos
