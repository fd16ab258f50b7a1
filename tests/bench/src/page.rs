//! stub
pub fn write() {}
