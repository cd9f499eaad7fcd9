/* SPDX-License-Identifier: MIT */
#include "hosted.h"
