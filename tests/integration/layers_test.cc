// The rules of the house (docs/architecture.md) that no compiler checks: who may include what, and who may print.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// A folder of engine/ includes itself and what is in a lower layer.
const std::map<std::string, int> kLayers = {{"core", 0},   {"log", 1},   {"workflow", 1}, {"event", 1},
                                            {"media", 1},  {"store", 1}, {"target", 1},   {"job", 2},
                                            {"plugin", 3}, {"run", 4},   {"cli", 5}};

// The one place in engine/ that knows a library.
struct Seam {
  const char* header;  // the beginning of what is included
  const char* place;   // the beginning of the path of those who may
};
constexpr Seam kSeams[] = {
    {"boost/dll", "engine/plugin/"},
    {"boost/filesystem", "engine/plugin/"},
    {"boost/program_options", "engine/cli/"},
    {"glog/", "engine/log/"},
    {"libssh/", "engine/target/ssh/"},
    {"odb/", "engine/store/"},
    {"OpenColorIO/", "engine/media/pictures/"},
    {"OpenEXR/", "engine/media/"},
    {"OpenImageIO/", "engine/media/pictures/"},
    {"openssl/", "engine/core/"},
    {"sqlite3", "engine/store/"},
    {"valijson/", "engine/workflow/"},
    {"yaml-cpp/", "engine/workflow/"},
};

// The one file in plugins/ that knows a library.
constexpr Seam kPluginSeams[] = {
    {"curl/", "plugins/prompt_enhancement/http_client.cc"},
    {"microhttpd.h", "plugins/common/http_server_fixture.h"},
};

struct Include {
  std::string header;
  bool quoted = false;  // "header" and not <header>

  // The folder of a header, or the header without one.
  std::string first() const { return header.substr(0, header.find('/')); }
  bool Begins(const std::string& with) const { return header.rfind(with, 0) == 0; }
};

bool Matches(const std::string& text, const char* pattern) { return std::regex_match(text, std::regex(pattern)); }

bool IsStandard(const Include& include) {
  return !include.quoted && Matches(include.header, "[a-z_]+|[a-z0-9_]+\\.h|(arpa|netinet|sys)/[a-z]+\\.h");
}

bool IsOfTests(const std::string& path) { return Matches(path, ".*(_test\\.cc|_fixture\\.h|/testing/.*)"); }

bool IsForTests(const Include& include) {
  return include.Begins("gtest/") || include.Begins("gmock/") || (include.quoted && include.first() == "testing");
}

// Why a file of engine/ may not include this; empty when it may.
std::string EngineProblem(const std::string& path, const Include& include) {
  for (const Seam& seam : kSeams) {
    if (include.Begins(seam.header) && path.rfind(seam.place, 0) != 0) {
      return "<" + include.header + "> is included only in " + seam.place;
    }
  }
  if (!include.quoted) return "";
  const std::string own = Include{path.substr(path.find('/') + 1)}.first();
  const std::string other = include.first();
  if (kLayers.count(own) == 0) return "engine/" + own + "/ is not among the layers";
  if (kLayers.count(other) == 0) return "\"" + include.header + "\" is in none of the layers";
  if (own == other || kLayers.at(other) < kLayers.at(own)) return "";
  const char* how = kLayers.at(other) == kLayers.at(own) ? " stands beside " : " stands above ";
  return other + "/" + how + own + "/, which includes only what is below it";
}

std::string PluginProblem(const std::string& path, const Include& include) {
  const std::string own = Include{path.substr(path.find('/') + 1)}.first();
  for (const Seam& seam : kPluginSeams) {
    if (!include.Begins(seam.header)) continue;
    return path == seam.place ? "" : "<" + include.header + "> is included only in " + seam.place;
  }
  const bool is_own = include.quoted && (include.first() == own || include.first() == "common");
  if (is_own || include.Begins("cosmos/") || include.Begins("nlohmann/") || IsStandard(include)) return "";
  if (IsOfTests(path) && IsForTests(include)) return "";
  return "'" + include.header + "': a plugin includes the SDK, its own files, plugins/common and the standard library";
}

std::string SdkProblem(const std::string& path, const Include& include) {
  if (IsOfTests(path)) {
    const bool sdk = include.Begins("cosmos/") || include.Begins("nlohmann/");
    return sdk || IsStandard(include) || IsForTests(include) ? "" : "'" + include.header + "' is not of the SDK";
  }
  if (Matches(path, ".*\\.h")) {
    return Matches(include.header, "std(def|int)\\.h") ? "" : "the C header includes <stddef.h> and <stdint.h> alone";
  }
  if (!include.quoted && (include.Begins("cosmos/") || Matches(include.header, "[a-z_]+|nlohmann/json(_fwd)?\\.hpp"))) {
    return "";
  }
  return "'" + include.header + "': the SDK includes itself, the standard library and nlohmann/json";
}

std::string ProblemOf(const std::string& path, const Include& include) {
  if (path.rfind("engine/", 0) == 0) return EngineProblem(path, include);
  return path.rfind("plugins/", 0) == 0 ? PluginProblem(path, include) : SdkProblem(path, include);
}

// What is wrong with a file, a line `path:line: …` each. `path` is relative to the tree.
std::vector<std::string> CheckSource(const std::string& path, const std::string& text) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  static const std::regex kPrints(
      R"((^|[^A-Za-z_:])((std)?::)?(cout|cerr|clog|v?f?printf|dprintf|f?puts|putchar|fwrite|perror)\b\s*(\(|<<).*)"
      R"(|write\(\s*(1|2|STD(OUT|ERR)_FILENO)\b)");
  static const std::regex kRaw(R"(\bPrintBytes\()");
  // The console; a word of the handler of signals, which may call nothing else; and where bytes are asked for as they
  // are, or are cleaned before control sequences are put around them.
  static const std::set<std::string> kMayPrint = {"engine/cli/console.cc", "engine/cli/interrupt.cc"};
  static const std::set<std::string> kMayPrintBytes = {"engine/cli/console.cc", "engine/cli/console.h",
                                                       "engine/cli/logs_command.cc", "engine/cli/progress_view.cc"};
  std::vector<std::string> problems;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const auto add = [&](const std::string& problem) {
      if (!problem.empty()) problems.push_back(path + ":" + std::to_string(number) + ": " + problem);
    };
    std::smatch match;
    if (std::regex_match(line, match, kInclude)) add(ProblemOf(path, {match[2], match[1] == "\""}));
    const std::string code = line.substr(0, line.find("//"));
    if (!IsOfTests(path) && kMayPrint.count(path) == 0 && std::regex_search(code, kPrints)) {
      add("prints past the console; use it, or the logger");
    }
    if (!IsOfTests(path) && kMayPrintBytes.count(path) == 0 && std::regex_search(code, kRaw)) {
      add("prints bytes that are not cleaned; use Print");
    }
  }
  return problems;
}

std::string ReadFile(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Layers, AreFollowedByTheTree) {
  const fs::path tree = SOURCE_TREE;
  const std::set<std::string> sources = {".h", ".hpp", ".c", ".cc"};
  int files = 0;
  for (const char* folder : {"engine", "plugins", "sdk"}) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(tree / folder)) {
      if (!entry.is_regular_file() || sources.count(entry.path().extension()) == 0) continue;
      ++files;
      for (const std::string& problem : CheckSource(fs::relative(entry.path(), tree), ReadFile(entry.path()))) {
        ADD_FAILURE() << problem;
      }
    }
  }
  EXPECT_GT(files, 100) << "the tree was not found below " << tree;
}

TEST(Layers, AllowWhatIsBelow) {
  EXPECT_THAT(CheckSource("engine/run/a.cc",
                          "#include \"run/a.h\"\n#include \"log/b.h\"\n#include \"plugin/c.h\"\n#include <vector>\n"),
              IsEmpty());
  EXPECT_THAT(CheckSource("engine/target/local/a.cc", "#include \"target/target.h\"\n#include \"core/fd.h\"\n"),
              IsEmpty());
}

TEST(Layers, RefuseNeighboursAndWhatIsAbove) {
  EXPECT_THAT(CheckSource("engine/event/a.h", "#pragma once\n#include \"store/records.h\"\n"),
              ElementsAre("engine/event/a.h:2: store/ stands beside event/, which includes only what is below it"));
  EXPECT_THAT(CheckSource("engine/media/a.cc", "#include \"target/target.h\"\n"),
              ElementsAre(HasSubstr("target/ stands beside media/")));
  EXPECT_THAT(CheckSource("engine/core/a.cc", "#include \"run/a.h\"\n"), ElementsAre(HasSubstr("run/ stands above")));
  EXPECT_THAT(CheckSource("engine/run/a.cc", "#include \"other/a.h\"\n"), ElementsAre(HasSubstr("none of the layers")));
}

TEST(Layers, KeepLibrariesBehindTheirSeam) {
  for (const Seam& seam : kSeams) {
    const std::string line = std::string("#include <") + seam.header + "x.h>\n";
    EXPECT_THAT(CheckSource("engine/run/a.cc", line), ElementsAre(HasSubstr(seam.place))) << line;
    EXPECT_THAT(CheckSource(std::string(seam.place) + "a.cc", line), IsEmpty()) << line;
  }
  for (const Seam& seam : kPluginSeams) {
    const std::string line = std::string("#include <") + seam.header + ">\n";
    EXPECT_THAT(CheckSource("plugins/prompt_enhancement/a.cc", line), ElementsAre(HasSubstr(seam.place))) << line;
    EXPECT_THAT(CheckSource(seam.place, line), IsEmpty()) << line;
  }
}

TEST(Layers, LetPluginsSeeTheSdkAlone) {
  EXPECT_THAT(CheckSource("plugins/shell/a.cc",
                          "#include <cosmos/plugin.hpp>\n#include \"shell/a.h\"\n#include \"common/b.h\"\n"),
              IsEmpty());
  EXPECT_THAT(CheckSource("plugins/shell/a.cc", "#include \"core/error.h\"\n"),
              ElementsAre(StartsWith("plugins/shell/a.cc:1: 'core/error.h'")));
  EXPECT_THAT(CheckSource("plugins/shell/a.cc", "#include \"noop/a.h\"\n"), ElementsAre(HasSubstr("noop/a.h")));
  EXPECT_THAT(CheckSource("plugins/shell/a.cc", "#include <fmt/format.h>\n"), ElementsAre(HasSubstr("fmt/format.h")));
  EXPECT_THAT(CheckSource("plugins/shell/a.cc", "#include \"testing/fake_host.h\"\n"), ElementsAre(HasSubstr("fake")));
  EXPECT_THAT(CheckSource("plugins/shell/a_test.cc", "#include \"testing/fake_host.h\"\n"), IsEmpty());
}

TEST(Layers, LetTheSdkSeeAlmostNothing) {
  EXPECT_THAT(CheckSource("sdk/include/cosmos/a.hpp", "#include <string>\n#include <nlohmann/json.hpp>\n"), IsEmpty());
  EXPECT_THAT(CheckSource("sdk/include/cosmos/a.hpp", "#include <fmt/format.h>\n"), ElementsAre(HasSubstr("fmt")));
  EXPECT_THAT(CheckSource("sdk/include/cosmos/a.hpp", "#include <unistd.h>\n"), ElementsAre(HasSubstr("unistd")));
  EXPECT_THAT(CheckSource("sdk/include/cosmos/plugin.h", "#include <stdint.h>\n"), IsEmpty());
  EXPECT_THAT(CheckSource("sdk/include/cosmos/plugin.h", "#include <stdio.h>\n"), ElementsAre(HasSubstr("C header")));
}

TEST(Layers, LetTheConsoleAlonePrint) {
  EXPECT_THAT(CheckSource("engine/run/a.cc", "  std::cout << 1;\n"),
              ElementsAre("engine/run/a.cc:1: prints past the console; use it, or the logger"));
  for (const char* line : {"std::cout << 1;", "std::cerr<< 1;", "printf(\"%d\", 1);", "std::fprintf(stderr, \"x\");",
                           "  fputs(\"x\", stdout);", "::write(STDOUT_FILENO, \"x\", 1);", "write(2, \"x\", 1);"}) {
    for (const char* path : {"engine/cli/runs_command.cc", "engine/target/a.cc", "plugins/noop/a.cc"}) {
      EXPECT_THAT(CheckSource(path, line), ElementsAre(HasSubstr("past the console"))) << line;
    }
    EXPECT_THAT(CheckSource("engine/cli/console.cc", line), IsEmpty()) << line;
  }
  for (const char* line : {"// not std::cout << 1", "std::snprintf(text, 2, \"x\");", "auto in = inputs();"}) {
    EXPECT_THAT(CheckSource("engine/cli/a.cc", line), IsEmpty()) << line;
  }
  EXPECT_THAT(CheckSource("engine/cli/a.cc", "console->PrintBytes(text);"), ElementsAre(HasSubstr("not cleaned")));
}

}  // namespace
