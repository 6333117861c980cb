package conformance

import (
	"io"
	"log"
	"os"
)

// capture counts the bytes that are written to standard output and standard error.
type capture struct {
	stdout, stderr *os.File
	logger         io.Writer
	file           *os.File // nil if the streams cannot be captured
}

// startCapture diverts both streams into a file until stop is called.
func startCapture() *capture {
	c := &capture{stdout: os.Stdout, stderr: os.Stderr, logger: log.Writer()}
	file, err := os.CreateTemp("", "conformance")
	if err != nil {
		return c
	}
	c.file, os.Stdout, os.Stderr = file, file, file
	if c.logger == io.Writer(c.stderr) {
		log.SetOutput(file)
	}
	return c
}

// count returns how many bytes were written so far.
func (c *capture) count() int64 {
	if c.file == nil {
		return 0
	}
	info, err := c.file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// stop ends the diversion and writes the captured bytes to the streams.
func (c *capture) stop() {
	if c.file == nil {
		return
	}
	os.Stdout, os.Stderr = c.stdout, c.stderr
	log.SetOutput(c.logger)
	if _, err := c.file.Seek(0, io.SeekStart); err == nil {
		_, _ = io.Copy(c.stderr, c.file)
	}
	_ = c.file.Close()
	_ = os.Remove(c.file.Name())
	c.file = nil
}
