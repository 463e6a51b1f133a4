#include "cli/program.h"

int main(int argc, char** argv) { return cosmos::Program({argv + 1, argv + argc}); }
