#include "core/ids.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/sha256.h"

namespace cosmos {
namespace {

TEST(Ids, HaveTheirFormAndDiffer) {
  const std::string id = NewRunId();
  EXPECT_EQ(id.size(), 35u);
  EXPECT_EQ(id.substr(0, 3), "rs_");
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef", 3), id.npos);
  EXPECT_NE(id, NewRunId());
  EXPECT_EQ(NewOperationId().substr(0, 3), "op_");
}

TEST(Ids, PromptIdIsTheDigestOfTheRecord) {
  // printf abc | sha256sum
  EXPECT_EQ(Sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(PromptIdOf("abc"), "ps_ba7816bf8f01cfea414140de5dae2223");
}

TEST(SafeName, AllowsWhatPathsShellsAndContainersTake) {
  EXPECT_TRUE(IsSafeName("city-at_night.v2"));
  for (const std::string name : {"", ".", "..", "a/b", "a b", "$(x)", "é"}) EXPECT_FALSE(IsSafeName(name)) << name;
  EXPECT_TRUE(IsSafeName(std::string(128, 'a')));
  EXPECT_FALSE(IsSafeName(std::string(129, 'a')));
  EXPECT_THROW(CheckName("prompt_name", "a/b"), Error);
}

TEST(SafeName, OfDifferentTextsDiffers) {
  EXPECT_EQ(SafeNameOf("0.4_7"), "0.4_7");
  EXPECT_NE(SafeNameOf("a b"), SafeNameOf("a/b"));
  EXPECT_NE(SafeNameOf(std::string(200, 'a')), SafeNameOf(std::string(201, 'a')));
  for (const std::string text : {"", "..", "a b", "../../etc", "\xF0\x9F\x98\x80"}) {
    EXPECT_TRUE(IsSafeName(SafeNameOf(text))) << text;
  }
}

TEST(IdsTest, FoldersOfTheEngineAreReserved) {
  const std::string digits(32, 'a');
  for (const std::string& name : {std::string("."), std::string(".."), std::string(".runs"),
                                  std::string("prompt_enhancement"), "ps_" + digits, "rs_" + digits, "op_" + digits}) {
    EXPECT_TRUE(IsReservedFolder(name)) << name;
  }
  for (const std::string& name : {std::string("runs"), std::string("prompt-enhancement"), std::string("ps_1"),
                                  "ps_" + digits + "0", "xs_" + digits, "ps_" + std::string(32, 'g')}) {
    EXPECT_FALSE(IsReservedFolder(name)) << name;
  }
}

TEST(IdsTest, RunIdsAreNoWordsOfTheCommandLine) {
  for (const char* good : {"rs_1", "shot_010", "lasting", "a-b.c"}) EXPECT_NO_THROW(CheckRunId(good)) << good;
  for (const char* bad : {"last", "all", "-x", "--help", ".hidden", "..", "", "a/b", "a b"}) {
    EXPECT_THROW(CheckRunId(bad), Error) << bad;
  }
}

}  // namespace
}  // namespace cosmos
