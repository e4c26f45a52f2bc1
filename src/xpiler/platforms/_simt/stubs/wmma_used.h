// What a fragment of a text that names wmma:: without any include leaves to whoever compiles it.
#pragma once
#include "wmma.h"
using namespace nvcuda;
