# Fails when the model in rows.h differs from what the committed changelog records: odb then has written a changed one.
if(EXISTS ${CHANGED})
  message(FATAL_ERROR "rows.h changes the schema, but ${COMMITTED} does not record it. Raise the model version in rows.h, "
    "then build the target record_schema_change (see engine/store/CMakeLists.txt).")
endif()
