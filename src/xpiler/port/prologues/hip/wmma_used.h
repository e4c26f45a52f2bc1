// needs: wmma
using namespace nvcuda;
