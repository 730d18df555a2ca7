extern "C" int no_such_function();
extern "C" int any() { return no_such_function(); }
