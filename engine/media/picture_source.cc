#include "media/picture_source.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxWorkers = 4;
constexpr std::size_t kPicturesPerWorker = 8;  // for fewer, another one is not worth its start
constexpr std::size_t kAhead = 2;              // queries that a worker has: one is decoded while one is taken

[[noreturn]] void ThrowCancelled() { throw Error(ErrorCode::kUnavailable, "cancelled"); }

std::string ProgramPath() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path() / "cosmos-pictures";
  if (!fs::exists(program, error)) {
    throw Error(ErrorCode::kUnavailable, "there is no '" + program.string() + "', which decodes pictures",
                "install cosmos-engine with all of its programs");
  }
  return program;
}

std::size_t WorkersFor(std::size_t queries) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  return std::clamp<std::size_t>(queries / kPicturesPerWorker, 1, std::min(cores, kMaxWorkers));
}

}  // namespace

// One process, started when it is needed, and again when it has crashed.
class PictureSource::Worker {
 public:
  explicit Worker(const CancelToken& cancel) : cancel_(cancel) {}

  void Send(const PictureQuery& query) {
    waiting_.push_back(ToWire(query));
    if (!process_) return Start();
    process_->Write(waiting_.back());  // when it has crashed, the answer does not come
  }

  // The answer to the first query that has none yet.
  Decoded Receive() {
    std::string line;
    if (process_->ReadLine(&line)) {
      PictureAnswer answer = AnswerFromWire(line);
      if (answer.problem) {
        waiting_.pop_front();
        return *answer.problem;
      }
      if (process_->ReadBytes(static_cast<std::size_t>(answer.pixel_bytes), &answer.picture.pixels)) {
        waiting_.pop_front();
        return std::move(answer.picture);
      }
    }
    if (cancel_.cancelled()) ThrowCancelled();
    return TakeCrash();
  }

 private:
  void Start() {
    process_.emplace(std::vector<std::string>{ProgramPath()}, MediaProcess::Feed::kPipe, cancel_);
    for (const std::string& query : waiting_) process_->Write(query);
  }

  PictureProblem TakeCrash() {
    const int status = process_->Finish();
    if (cancel_.cancelled()) ThrowCancelled();
    const std::string complaint = process_->Complaint();
    process_.reset();
    waiting_.pop_front();
    if (!waiting_.empty()) Start();
    return {"the decoder ended with status " + std::to_string(status) + " at it" +
                (complaint.empty() ? "" : " (" + Excerpt(complaint) + ")"),
            "render it again, or save it in another format"};
  }

  const CancelToken& cancel_;
  std::optional<MediaProcess> process_;
  std::deque<std::string> waiting_;  // queries without an answer
};

PictureSource::PictureSource(const CancelToken& cancel) : cancel_(cancel) {}

PictureSource::~PictureSource() = default;

void PictureSource::Read(const std::vector<PictureQuery>& queries, const Take& take) try {
  const std::size_t workers = WorkersFor(queries.size());
  while (workers_.size() < workers) workers_.push_back(std::make_unique<Worker>(cancel_));
  std::size_t sent = 0;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    for (; sent < std::min(i + kAhead * workers, queries.size()); ++sent) workers_[sent % workers]->Send(queries[sent]);
    if (cancel_.cancelled()) ThrowCancelled();
    take(i, workers_[i % workers]->Receive());
  }
} catch (...) {
  workers_.clear();  // they may have answers that nobody took
  throw;
}

void PictureSource::CheckColourSpace(const std::string& space) {
  Read({{"", {PictureChoice::Kind::kColour, "", space}, false}}, [](std::size_t, const Decoded& decoded) {
    if (const auto* problem = std::get_if<PictureProblem>(&decoded)) {
      throw Error(ErrorCode::kInvalidInput, problem->message, problem->hint);
    }
  });
}

}  // namespace cosmos
